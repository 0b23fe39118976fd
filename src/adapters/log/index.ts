import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import type { Clock, Log } from '../../base/index.ts'
import { correlationId } from '../../engine/core/index.ts'
import { Redactor } from './redaction.ts'
import { RotatingFile } from './rotating-file.ts'
import { terminalLine } from './terminal.ts'

export { isSecretKey, Redactor } from './redaction.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogOptions {
  level: LogLevel
  clock: Clock
  /**
   * `lines` takes one line of JSON at a time; `terminal` is stderr for a person; `file` is rotated in `directory`:
   * at most 5 older files of 10 MB.
   */
  to:
    | { kind: 'stderr' }
    | { kind: 'terminal'; isColoured: boolean }
    | { kind: 'file'; directory: string }
    | { kind: 'lines'; write: (line: string) => void }
  redactor?: Redactor
}

export interface AppLog extends Log, Disposable {
  /** Takes effect for every child too. */
  setLevel(level: LogLevel): void
  /** Hides this value from now on wherever it would be written. */
  hide(secret: string): void
}

const stderr = () => {
  const stream = pino.destination({ dest: 2, sync: true })
  // A reader that has gone away (`pilothouse serve 2>&1 | head`) is no reason to end.
  stream.on('error', () => undefined)
  return stream
}

function openDestination(to: LogOptions['to']): { write(line: string): void } & Partial<Disposable> {
  switch (to.kind) {
    case 'stderr':
      return stderr()
    case 'terminal': {
      const stream = stderr()
      return { write: (line) => stream.write(terminalLine(line, to.isColoured)) }
    }
    case 'file':
      return new RotatingFile({ path: join(to.directory, 'pilothouse.log'), maxBytes: 10e6, keptCount: 5 })
    case 'lines':
      return { write: (line) => to.write(line) }
  }
}

/** Where the logger gets its level from, so that one change reaches every child. */
interface Shared {
  level: LogLevel
  redactor: Redactor
}

const rank: Record<LogLevel, number> = { debug: 20, info: 30, warn: 40, error: 50 }

class PinoLog implements Log {
  readonly #pino: Logger
  readonly #shared: Shared

  constructor(logger: Logger, shared: Shared) {
    this.#pino = logger
    this.#shared = shared
  }

  debug(message: string, fields?: Record<string, unknown>): void {
    this.#write('debug', message, fields)
  }
  info(message: string, fields?: Record<string, unknown>): void {
    this.#write('info', message, fields)
  }
  warn(message: string, fields?: Record<string, unknown>): void {
    this.#write('warn', message, fields)
  }
  error(message: string, fields?: Record<string, unknown>): void {
    this.#write('error', message, fields)
  }

  child(fields: Record<string, unknown>): Log {
    return new PinoLog(this.#pino.child(this.#clean(fields)), this.#shared)
  }

  #write(level: LogLevel, message: string, fields: Record<string, unknown> | undefined): void {
    if (rank[level] < rank[this.#shared.level]) return
    const id = correlationId()
    this.#pino[level](
      { ...(fields && this.#clean(fields)), ...(id === undefined ? {} : { correlationId: id }) },
      this.#shared.redactor.text(message),
    )
  }

  /** Fields that would stand in the place of the line's own are moved aside. */
  #clean(fields: Record<string, unknown>): Record<string, unknown> {
    const clean = this.#shared.redactor.data(fields) as Record<string, unknown>
    const entries = Object.entries(clean).map(([key, value]) => [own.has(key) ? `${key}_` : key, value])
    return Object.fromEntries(entries) as Record<string, unknown>
  }
}

const own = new Set(['level', 'time', 'msg', 'correlationId'])

/**
 * The log of this process: lines of JSON `{level, time, ...fields, correlationId, msg}` with UTC time, without
 * secrets. Writing never throws and is done when the call returns.
 */
export function openLog({ level, clock, to, redactor = new Redactor() }: LogOptions): AppLog {
  const destination = openDestination(to)
  const shared: Shared = { level, redactor }
  const logger = pino(
    {
      // The level is decided before a line is made; pino lets all pass.
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {},
    },
    destination,
  )
  const log = new PinoLog(logger, shared)
  return Object.assign(log, {
    setLevel: (next: LogLevel) => {
      shared.level = next
    },
    hide: (secret: string) => redactor.add(secret),
    [Symbol.dispose]: () => destination[Symbol.dispose]?.(),
  })
}
