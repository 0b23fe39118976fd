import { implement } from '@orpc/server'
import { AppError } from '../../base/index.ts'
import { contract, roles, type Role } from '../../contract/index.ts'

/** Who calls, from where; made by the transport. */
export interface CallContext {
  role: Role
  /** For the audit log: `operator@browser`, `local`. */
  actor: string
}

/** The contract, to be implemented; each call is refused below the role its procedure needs. */
export const api = implement(contract)
  .$context<CallContext>()
  .use((options) => {
    const { context, path } = options
    const needed = options.procedure['~orpc'].meta.role
    if (roles.indexOf(context.role) < roles.indexOf(needed)) {
      throw new AppError('FORBIDDEN', `${path.join('.')} needs the role ${needed}; you are ${context.role}.`)
    }
    return options.next()
  })
