import type { Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { sendHeadEarly } from './early-head.ts'
import { acceptUnaskedContinue } from './unasked-continue.ts'

/** Where instances can listen on this machine. */
export const loopbackHosts = ['127.0.0.1', '::1'] as const
export type LoopbackHost = (typeof loopbackHosts)[number]

/** The host as it stands in a URL. */
const inUrl = (host: LoopbackHost): string => (host.includes(':') ? `[${host}]` : host)

/** Longest status line and header section of a response, in bytes; a longer one is a broken response (502). */
const maxResponseHeadBytes = 256 * 1024

type Connected = (failure: Error | null, socket: Socket | null) => void

/** The way to the process at `host` and `port`. */
export interface Connections {
  /** Connections that requests share, one after the other. */
  pool: Pool
  /** Makes one that belongs to whoever asks for it. */
  connect(done: Connected): void
}

/** Connections to the process at `host` and `port`; `connectMs` is asked for each new one. */
export function connectionsTo(host: LoopbackHost, port: number, connectMs: () => number): Connections {
  let connector = buildConnector({ timeout: connectMs() })
  let timeoutMs = connectMs()
  const connect: buildConnector.connector = (options, callback) => {
    if (timeoutMs !== connectMs()) {
      timeoutMs = connectMs()
      connector = buildConnector({ timeout: timeoutMs })
    }
    connector(options, callback)
  }
  const pool = new Pool(`http://${inUrl(host)}:${port}`, {
    pipelining: 1,
    connect: (options, callback) => {
      connect(options, (failure, socket) => {
        if (failure) return callback(failure, null)
        readToItsEnd(socket)
        tellBytesRead(socket)
        acceptUnaskedContinue(socket)
        sendHeadEarly(socket)
        callback(null, socket)
      })
    },
    // Shorter than the 5 s after which Node servers close: whoever closes first cannot lose a request.
    keepAliveTimeout: 4000,
    maxHeaderSize: maxResponseHeadBytes,
    allowH2: false,
  })
  return {
    pool,
    connect: (done) =>
      connect({ hostname: host, protocol: 'http:', port: String(port) }, (failure, socket) =>
        done(failure, socket ?? null),
      ),
  }
}

const isReset = (failure: unknown): boolean =>
  ['EPIPE', 'ECONNRESET'].includes((failure as NodeJS.ErrnoException | null)?.code ?? '')

type Done = (failure?: Error | null) => void

/**
 * Lets a connection be read to its end although nothing can be written to it any more. A service that refuses an
 * upload answers and closes: the answer is then still in the socket, and a failed write would throw it away. What the
 * other side has really ended shows when it is read.
 */
function readToItsEnd(socket: Socket): void {
  const unlessReset =
    (done: Done): Done =>
    (failure) =>
      done(isReset(failure) ? null : failure)
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  socket._write = (chunk, encoding, done) => write(chunk, encoding, unlessReset(done))
  if (writev) socket._writev = (chunks, done) => writev(chunks, unlessReset(done))
}

/** Puts down in the failure of a connection how much it had served: one that was reset says nothing of it itself. */
function tellBytesRead(socket: Socket): void {
  socket.on('error', (failure: Error & { socket?: { bytesRead: number } }) => {
    failure.socket ??= { bytesRead: socket.bytesRead }
  })
}
