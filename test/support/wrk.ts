import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface WrkFigures {
  requests: number
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** Answers other than 2xx and 3xx, and connections that broke. */
  failedRequests: number
}

/**
 * Asks an address over so many connections, each as fast as it is answered, by the program wrk, which must be on the PATH:
 * a client in JavaScript would be slower than what it measures.
 */
export async function wrk(url: string, connections: number, seconds: number): Promise<WrkFigures> {
  const { stdout } = await execute('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url])
  const percentile = (share: number) => {
    const [, value = '', unit = ''] = new RegExp(`${share}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? []
    return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']
  }
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0)
  const errors = /Socket errors: (.*)/.exec(stdout)?.[1] ?? ''
  const broken = [...errors.matchAll(/\d+/g)].map(Number)
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: percentile(50),
    p99Ms: percentile(99),
    failedRequests: bad + broken.reduce((sum, count) => sum + count, 0),
  }
}
