import { request } from 'undici'
import { messageOf } from '../../engine/core/index.ts'
import type { HookContext, HookOutcome } from '../../engine/deployments/index.ts'
import { BoundedOutput, outputLimitBytes } from '../../engine/validation/index.ts'

/** POSTs the context as JSON; any 2xx is success. Redirects are not followed: nobody agreed to where they lead. */
export async function callWebhook(
  url: string,
  context: HookContext,
  signal: AbortSignal,
): Promise<HookOutcome> {
  // User, password, path and query may be secrets.
  const shown = new URL(url).origin
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'pilothouse',
        'idempotency-key': context.key,
      },
      body: JSON.stringify(context),
      signal,
    })
    const output = new BoundedOutput()
    let length = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
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
