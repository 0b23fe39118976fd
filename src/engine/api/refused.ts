import { implement, ORPCError } from '@orpc/server'
import { AppError, messageOf } from '../../base/index.ts'
import { actorOf, contract, isOrder, type ErrorCode, type RollbackOutcome } from '../../contract/index.ts'
import type { Refusal } from '../audit/index.ts'
import type { CallContext } from '../identity/index.ts'

/**
 * The contract, to be implemented by a whole router: `note` is told of every order that fails in it, whatever refused it.
 * Every call of every transport passes here.
 */
export const heedingRefusals = (note: (refusal: Refusal) => Promise<void>) =>
  implement(contract)
    .$context<CallContext>()
    .use(async ({ context, path, next }, input: unknown) => {
      const name = path.join('.')
      if (!isOrder(name)) return next()
      const order = { actor: actorOf(context.principal), order: name, ...namedIn(input) }
      try {
        const result = await next()
        // An emergency rollback waits for no database.
        for (const { service, code, text } of refusedIn(name, result.output))
          void note({ ...order, target: service, code, text })
        return result
      } catch (failure) {
        await note({ ...order, ...reasonOf(failure) })
        throw failure
      }
    })

/** What was asked of what, in an input that may be anything. */
function namedIn(input: unknown): Pick<Refusal, 'target' | 'why'> {
  const { service, services, id, why } = (input ?? {}) as Record<string, unknown>
  const names = Array.isArray(services) ? services.filter((name) => typeof name === 'string').join(', ') : ''
  const target = [service, id, names].find((each) => typeof each === 'string' && each !== '')
  return { target: typeof target === 'string' ? target : '', ...(typeof why === 'string' ? { why } : {}) }
}

/** Services that an emergency rollback does not touch. One whose router fails has an entry of its own. */
function refusedIn(name: string, output: unknown): { service: string; code: ErrorCode; text: string }[] {
  if (name !== 'rollback.emergency') return []
  return (output as RollbackOutcome[]).flatMap(({ service, code, text }) =>
    code === 'CONFLICT' || code === 'NOT_FOUND' ? [{ service, code, text }] : [],
  )
}

function reasonOf(failure: unknown): Pick<Refusal, 'code' | 'text'> {
  if (failure instanceof AppError) return { code: failure.code, text: failure.message }
  if (failure instanceof ORPCError && failure.code === 'BAD_REQUEST') {
    const [first] = inputIssues(failure as { data: unknown })
    return { code: 'BAD_INPUT', text: first ? issueText(first) : failure.message }
  }
  return { code: 'INTERNAL', text: messageOf(failure) }
}

export interface InputIssue {
  path: string
  message: string
}

/** What is wrong with an input, of the failure that its validation ends with. */
export function inputIssues({ data }: { data: unknown }): InputIssue[] {
  const { issues = [] } = (data ?? {}) as {
    issues?: { path?: (PropertyKey | { key: PropertyKey })[]; message: string }[]
  }
  return issues.map(({ path = [], message }) => ({
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message,
  }))
}

export const issueText = ({ path, message }: InputIssue): string => `${path || 'the request'}: ${message}`
