import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { messageOf } from '../../base/index.ts'
import { took } from '../../contract/index.ts'
import { isOurLack } from '../machine/index.ts'
import { maxResponseHeadBytes, type LoopbackHost } from './connections.ts'

export interface Probe {
  address: LoopbackHost
  port: number
  path: string
  /** The Host header; null for the address. */
  host: string | null
  timeoutMs: number
}

/**
 * `refused`: nothing is listening there. `unknown`: this machine could not ask, which says nothing about the instance.
 */
export type ProbeOutcome = { kind: 'well' } | { kind: 'unwell' | 'refused' | 'unknown'; why: string }

/** Most bytes of a response to read: only its status matters, and a body may be endless. */
const maxAnswerBytes = 64 * 1024

/** Runs one health check; 2xx and 3xx pass. Never rejects. */
export function probe({ address, port, path, host, timeoutMs }: Probe): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const headers = { 'user-agent': 'pilothouse-health', ...(host === null ? {} : { host }) }
    const onResponse = (response: IncomingMessage) => {
      const status = response.statusCode ?? 0
      const isWell = status >= 200 && status < 400
      resolve(isWell ? { kind: 'well' } : { kind: 'unwell', why: `its health check answered ${status}` })
      // Reads a short body to its end, because an instance may log a broken connection as a failure.
      response.on('data', () => {
        if (isLong()) request.destroy()
      })
      response.once('end', () => request.destroy())
    }
    const isLong = () => (request.socket?.bytesRead ?? 0) > maxAnswerBytes
    let request: ClientRequest
    try {
      const maxHeaderSize = maxResponseHeadBytes
      request = get({ host: address, port, path, agent: false, headers, maxHeaderSize }, onResponse)
    } catch (failure) {
      // A state of an earlier version may hold an invalid request.
      resolve({ kind: 'unwell', why: `its health check cannot be sent: ${messageOf(failure)}` })
      return
    }
    const timer = setTimeout(() => {
      resolve({ kind: 'unwell', why: `its health check did not answer within ${took(timeoutMs)}` })
      request.destroy()
    }, timeoutMs)
    request.once('close', () => {
      clearTimeout(timer)
      // Only this event reports a switch to another protocol.
      resolve({ kind: 'unwell', why: 'its health check got no HTTP response' })
    })
    request.on('information', () => {
      if (!isLong()) return
      resolve({ kind: 'unwell', why: 'its health check got only interim responses' })
      request.destroy()
    })
    request.once('error', (failure: NodeJS.ErrnoException) =>
      resolve({ kind: kindOf(failure.code ?? ''), why: `its health check failed: ${messageOf(failure)}` }),
    )
  })
}

function kindOf(code: string): 'unwell' | 'refused' | 'unknown' {
  if (isOurLack(code)) return 'unknown'
  return code === 'ECONNREFUSED' ? 'refused' : 'unwell'
}
