import type { Result } from '../../base/index.ts'

/** The value, or its AppError thrown: transports translate it for the wire. */
export async function orThrow<T>(result: Result<T> | Promise<Result<T>>): Promise<T> {
  const settled = await result
  if (!settled.ok) throw settled.error
  return settled.value
}
