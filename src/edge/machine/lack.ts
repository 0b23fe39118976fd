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
