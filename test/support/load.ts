import { Agent, request } from 'node:http'

export interface LoadResult {
  /** Answers by what they said. */
  answers: Map<string, number>
  /** Everything that was not a 200: statuses and broken connections. */
  failures: string[]
}

/** One request on `agent`; resolves with status and text, rejects when the connection breaks. */
export function ask(
  address: string,
  agent: Agent,
  path = '/',
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; setCookie: string[] }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(address + path, { agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text, setCookie: response.headers['set-cookie'] ?? [] }),
      )
      response.once('error', reject)
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}

/** Clients with kept connections that ask one request after the other, until stopped or `limit` were asked. */
export class Load {
  readonly #agent: Agent
  readonly #result: LoadResult = { answers: new Map(), failures: [] }
  readonly #done: Promise<void>
  #asked = 0
  #isStopped = false

  constructor(address: string, connections: number, limit = Infinity, path = '/') {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
    const client = async () => {
      while (!this.#isStopped && this.#asked < limit) {
        this.#asked += 1
        try {
          const { status, text } = await ask(address, this.#agent, path)
          if (status === 200) this.#result.answers.set(text, (this.#result.answers.get(text) ?? 0) + 1)
          else this.#result.failures.push(`${status} ${text}`)
        } catch (failure) {
          this.#result.failures.push(String(failure))
        }
      }
    }
    this.#done = Promise.all(Array.from({ length: connections }, client)).then(() => this.#agent.destroy())
  }

  /** Answers so far. */
  get answered(): number {
    return [...this.#result.answers.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Resolves when `limit` were asked. */
  async finish(): Promise<LoadResult> {
    await this.#done
    return this.#result
  }

  stop(): Promise<LoadResult> {
    this.#isStopped = true
    return this.finish()
  }
}
