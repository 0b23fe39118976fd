import { implement } from '@orpc/server'
import { AppError } from '../../base/index.ts'
import { contract, mayDo, rights, type Principal } from '../../contract/index.ts'

/** Who calls, from where; made by the transport. */
export interface CallContext {
  principal: Principal
}

/** The contract, to be implemented; each call is refused without the right that its procedure needs. */
export const api = implement(contract)
  .$context<CallContext>()
  .use((options) => {
    const { context, path } = options
    const { right } = options.procedure['~orpc'].meta
    const { role } = context.principal
    if (!mayDo(role, right))
      throw new AppError(
        'FORBIDDEN',
        `${path.join('.')} needs the right ${right}, which the role ${rights[right]} has; you are ${role}.`,
      )
    return options.next()
  })
