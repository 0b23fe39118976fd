import { request } from 'undici'
import { AppError, fail, messageOf, ok, type Result } from '../../base/index.ts'
import { isWebAddress, type Webhook } from '../../contract/index.ts'
import type { HookContext, HookOutcome } from '../../engine/deployments/index.ts'
import { BoundedOutput, outputLimitBytes } from '../../engine/validation/index.ts'
import { readSecret } from '../config/index.ts'

/** Where a webhook leads, as it stands at its place now. Fails with the place, never with its content. */
export async function addressOf({ url, urlEnv, urlFile = '' }: Webhook): Promise<Result<string>> {
  if (url !== undefined) return isWebAddress(url) ? ok(url) : fail(noAddress('its url'))
  const read = await readSecret(urlEnv === undefined ? { file: urlFile } : { env: urlEnv }, process.env)
  if (!read.ok) return read
  const address = read.value.trim()
  if (isWebAddress(address)) return ok(address)
  return fail(noAddress(urlEnv === undefined ? `the file ${urlFile}` : `the variable ${urlEnv}`))
}

const noAddress = (place: string) => new AppError('CONFIG_INVALID', `No web address in ${place}.`)

/** POSTs `body`, which is JSON; any 2xx is success. Redirects are not followed: nobody agreed to where they lead. */
export async function callWebhook(
  url: string,
  body: string,
  { key }: Pick<HookContext, 'key'>,
  signal: AbortSignal,
): Promise<HookOutcome> {
  // User, password, path and query may be secrets.
  const shown = new URL(url).origin
  try {
    const { statusCode, body: answer } = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'pilothouse',
        'idempotency-key': key,
      },
      body,
      signal,
    })
    const output = new BoundedOutput()
    let length = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      output.append(chunk)
      length += chunk.length
      if (length >= outputLimitBytes) break
    }
    const isSuccess = statusCode >= 200 && statusCode < 300
    return { isSuccess, text: `${shown} answered ${statusCode}.`, output: output.text() }
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return { isSuccess: false, text: `${shown} cannot be reached: ${messageOf(thrown)}`, output: '' }
  }
}
