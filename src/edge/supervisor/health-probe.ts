import { get } from 'node:http'
import { messageOf } from '../failure.ts'

/** Asks an instance how it is: null when well (2xx or 3xx), else why not. Never rejects. */
export function probe(port: number, path: string, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port, path, agent: false, headers: { 'user-agent': 'pilothouse-health' } },
      (response) => {
        response.resume()
        const status = response.statusCode ?? 0
        resolve(status >= 200 && status < 400 ? null : `its health check answered ${status}`)
        // Only the status matters, however much follows.
        response.once('end', () => request.destroy())
      },
    )
    const timer = setTimeout(() => {
      resolve(`its health check did not answer within ${timeoutMs} ms`)
      request.destroy()
    }, timeoutMs)
    request.once('close', () => clearTimeout(timer))
    request.once('error', (failure) => resolve(`its health check failed: ${messageOf(failure)}`))
  })
}
