import { errorCatalogue, type ErrorCode } from '../../contract/index.ts'

/** A failed call, as a person reads it. */
export interface CallFailure {
  code: ErrorCode
  title: string
  /** What the engine says of this very case: a sentence; empty when it says no more than the title. */
  text: string
  /** What a person can do now. */
  action: string
  isRetryable: boolean
}

/** Whatever a call threw, as an entry of the catalogue. */
export function failureOf(error: unknown): CallFailure {
  const code = codeOf(error)
  const { title, retryable, ...entry } = errorCatalogue[code]
  const action = actionIn(error) || entry.action
  const message = error instanceof Error && code !== 'INTERNAL' ? error.message : ''
  return { code, title, text: message === title ? '' : message, action, isRetryable: retryable }
}

/** What happened and what to do, as whole sentences. */
export function failureText({ text, title, action }: CallFailure): string {
  const what = text || title
  return `${/[.!?]$/.test(what) ? what : `${what}.`} ${action}`
}

/** A command that was sent may have been carried out all the same: nothing that says otherwise came back. */
export const isOutcomeUnknown = ({ code, text }: CallFailure): boolean =>
  code === 'TIMEOUT' || (code === 'UNAVAILABLE' && text === '')

function codeOf(error: unknown): ErrorCode {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && Object.hasOwn(errorCatalogue, code) ? (code as ErrorCode) : 'INTERNAL'
}

/** What the engine says a person can do about this one case. */
function actionIn(error: unknown): string {
  const { data } = (error ?? {}) as { data?: { action?: unknown } }
  return typeof data?.action === 'string' ? data.action : ''
}
