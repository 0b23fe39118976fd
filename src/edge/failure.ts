import type { ErrorCode } from '../contract/index.ts'

/** An expected failure of an admin call: the caller gets its code and sentence. */
export class EdgeFailure extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message)
    this.name = 'EdgeFailure'
    this.code = code
    this.details = details
  }
}

export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
