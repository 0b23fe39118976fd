import { AppError, fail, messageOf, type Clock, type Result } from '../../base/index.ts'
import { took } from '../../contract/index.ts'

/**
 * What a port answers, or TIMEOUT after `withinMs`: it may still happen then. A port that throws is a defect of its
 * adapter; the caller gets it as INTERNAL and lives on.
 */
export async function within<T>(
  clock: Clock,
  withinMs: number,
  what: string,
  call: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const { promise: late, resolve } = Promise.withResolvers<Result<T>>()
  using _timer = clock.after(withinMs, () =>
    resolve(fail(new AppError('TIMEOUT', `${what} did not answer within ${took(withinMs)}`))),
  )
  const answer = (async () => call())().catch((thrown: unknown) =>
    fail(new AppError('INTERNAL', `${what} failed: ${messageOf(thrown)}`, { cause: thrown })),
  )
  // Awaited here: the timer must not be disposed before there is an answer.
  return await Promise.race([answer, late])
}
