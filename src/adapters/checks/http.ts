import { request as httpRequest } from 'undici'
import { failed, failedForNow, passed, type CheckConfigOf } from '../../engine/validation/index.ts'
import { unreachable } from './network.ts'
import { filledIn, type Run } from './surroundings.ts'

const bodyLimitBytes = 1024 * 1024

/** A GET is answered with an expected status and text. Redirects are not followed: they are a status like others. */
export function httpCheck({ url, expectStatus, expectText }: CheckConfigOf<'http'>): Run {
  return async (request, signal) => {
    const address = filledIn(url, request)
    const shown = withoutSecrets(address)
    try {
      const { statusCode, body } = await httpRequest(address, {
        signal,
        headers: { 'user-agent': 'pilothouse' },
      })
      const text = await firstOf(body, bodyLimitBytes)
      if (!expectStatus.includes(statusCode)) {
        const sentence = `${shown} answered ${statusCode}, expected ${expectStatus.join(' or ')}.`
        // What is overloaded or starting may be well in a moment; what is not there will not be.
        return statusCode >= 500 || statusCode === 429 ? failedForNow(sentence, text) : failed(sentence, text)
      }
      if (expectText !== undefined && !text.includes(expectText))
        return failed(`${shown} answered ${statusCode}, but without the text "${expectText}".`, text)
      return passed(`${shown} answered ${statusCode}.`)
    } catch (thrown) {
      return unreachable(shown, thrown)
    }
  }
}

/** The beginning of a body; the rest is not waited for. */
async function firstOf(body: AsyncIterable<Buffer>, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= limitBytes) break
  }
  return Buffer.concat(chunks).subarray(0, limitBytes).toString('utf8')
}

/** An address as it may be shown: user, password and query may be secrets. */
function withoutSecrets(address: string): string {
  const { origin, pathname } = new URL(address)
  return `${origin}${pathname}`
}
