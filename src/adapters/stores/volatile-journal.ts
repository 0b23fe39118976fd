import { ok } from '../../engine/core/index.ts'
import type { Journal } from '../../engine/journal/index.ts'
export const openJournal = async (_: unknown) =>
  ok<Journal>({
    append: async () => ok(undefined),
    newest: async () => ok([]),
    launched: async () => ok(undefined),
    stopped: async () => ok(undefined),
    launchBefore: async () => ok(null),
    status: () => ({ isWritable: true, reason: '', sinceMs: 0 }),
    [Symbol.asyncDispose]: async () => undefined,
  })
