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

/**
 * This machine lacks open files, ports, processes or memory: a failure that says nothing about whom we wanted to reach
 * or to start.
 */
export const isOurLack = (code: string): boolean =>
  ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'EAGAIN', 'ENOBUFS', 'ENOMEM'].includes(code)

/** As `isOurLack`, of a failure and what has caused it. */
export function comesOfOurLack(failure: unknown): boolean {
  const { code, cause } = (failure ?? {}) as { code?: string; cause?: unknown }
  return isOurLack(code ?? '') || (cause !== undefined && comesOfOurLack(cause))
}

export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
