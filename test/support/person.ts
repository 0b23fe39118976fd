import type { Actor } from '../../src/contract/index.ts'

/** Somebody who gives orders, as history and audit log keep them. */
export const person = (name: string): Actor => ({ kind: 'operator', name })
