import type { ContractRouterClient } from '@orpc/contract'
import { contract, type operations } from '../../contract/index.ts'

/** Calls about services, deployments, rollback and audit. */
export type Operations = ContractRouterClient<typeof operations>

/** Whether the table that this page was built with has them at all. */
export const areOperationsServed = 'deployments' in contract

/** The calls of the present connection; throws UNAVAILABLE while there is none. */
export const operationsOf = (link: { readonly calls: Operations }): Operations => link.calls
