import { errorCatalogue, type ErrorCode } from './errors.ts'

export interface AppErrorOptions {
  /** Plain data for a screen or a log: names, limits, positions. Never a secret. */
  details?: Record<string, unknown>
  cause?: unknown
  /** Overrides the catalogue where this one case differs. */
  retryable?: boolean
  /** What a person can do about this one case, as sentences; the catalogue's action when left out. */
  remedy?: string
}

/**
 * A failure a person can act on. `code` is from the catalogue in the contract and is what tests and screens
 * match on; `message` says what happened and where, in a sentence.
 */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly details: Record<string, unknown>
  /** What a person can do now. */
  readonly remedy: string

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.retryable = options.retryable ?? errorCatalogue[code].retryable
    this.details = options.details ?? {}
    this.remedy = options.remedy ?? errorCatalogue[code].action
  }
}
