import { Agent, request } from 'undici'

const withinMs = 10_000

/** Keeps its connections, and little else: `fetch` takes ten times the memory, which a limit of an instance would show. */
const agent = new Agent({ headersTimeout: withinMs, bodyTimeout: withinMs, connect: { timeout: withinMs } })

/** Asks a service of the shop and gives its body. Rejects when there is no answer, or one that is no success. */
export async function ask<T>(method: 'GET' | 'POST', url: string): Promise<T> {
  const { statusCode, body } = await request(url, { method, dispatcher: agent })
  const answer = (await body.json()) as T
  if (statusCode >= 400) throw new Error(`${url} answered ${statusCode}`)
  return answer
}
