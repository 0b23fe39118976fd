import type { Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { sendHeadEarly } from './early-head.ts'
import { acceptUnaskedContinue } from './unasked-continue.ts'

/** The loopback addresses at which instances can listen. */
export const loopbackHosts = ['127.0.0.1', '::1'] as const
export type LoopbackHost = (typeof loopbackHosts)[number]

/** The host as written in a URL. */
const inUrl = (host: LoopbackHost): string => (host.includes(':') ? `[${host}]` : host)

/** Longest status line and header section of a response, in bytes; a longer one is a broken response (502). */
export const maxResponseHeadBytes = 256 * 1024

type Connected = (failure: Error | null, socket: Socket | null) => void

/** Connects to the process at `host` and `port`. */
export interface Connections {
  /** Connections that requests share, one after another. */
  pool: Pool
  /** Opens a connection that belongs to the caller. */
  connect(done: Connected): void
}

/** Connections to the process at `host` and `port`; `connectMs` is read for each new one. */
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
    // Shorter than the 5 s after which Node servers close an idle connection: the side that closes first cannot lose a
    // request.
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
 * Keeps reading a connection after a write to it has failed. A service that refuses an upload answers and closes: its
 * answer is then still in the socket, and the failed write would discard it. If the other side has really ended, the
 * read shows that.
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

/** Adds to a connection's failure how much the connection had served, because a reset does not tell. */
function tellBytesRead(socket: Socket): void {
  socket.on('error', (failure: Error & { socket?: { bytesRead: number } }) => {
    failure.socket ??= { bytesRead: socket.bytesRead }
  })
}
