import { beforeEach, describe, expect, it } from 'vitest'
import { AppError, fail, ok, silentLog } from '../../../../src/base/index.ts'
import { RefusalLog, type AuditDraft, type Refusal } from '../../../../src/engine/audit/index.ts'
import { VirtualClock } from '../../../support/clock.ts'
import { person } from '../../../support/person.ts'

let clock: VirtualClock
let drafts: AuditDraft[]
let warnings: unknown[]
let isFull: boolean
let refusals: RefusalLog
beforeEach(() => {
  clock = new VirtualClock()
  drafts = []
  warnings = []
  isFull = false
  refusals = new RefusalLog({
    clock,
    log: { ...silentLog, warn: (_message, fields) => void warnings.push(fields) },
    append: (added) => {
      if (isFull) return Promise.resolve(fail(new AppError('STORE_FULL', 'no space')))
      drafts.push(...added)
      return Promise.resolve(ok(undefined))
    },
  })
})

const refusal = (changes: Partial<Refusal> = {}): Refusal => ({
  actor: person('ada'),
  order: 'services.restart',
  target: 'shop',
  code: 'CONFLICT',
  text: 'it is being removed',
  ...changes,
})

describe('refused orders', () => {
  it('are on record at once, and repeats in one more entry a minute later', async () => {
    for (let i = 0; i < 4; i++) await refusals.note(refusal())
    expect(drafts).toMatchObject([
      { actor: person('ada'), action: 'orders.refused', target: 'shop', why: 'it is being removed' },
    ])
    await clock.advance(60_000)
    expect(drafts[1]).toMatchObject({ target: 'shop', details: { order: 'services.restart', repeats: 3 } })
    await clock.advance(600_000)
    expect(drafts).toHaveLength(2)
    expect(clock.timerCount).toBe(0)
  })

  it('cannot fill the log: many different ones are counted, and so is who has no token, whatever the target', async () => {
    for (let i = 0; i < 500; i++) await refusals.note(refusal({ actor: null, target: `s${i}` }))
    expect(drafts).toHaveLength(1)
    for (let i = 0; i < 500; i++) await refusals.note(refusal({ target: `s${i}` }))
    expect(drafts.length).toBeLessThan(100)
    const before = drafts.length
    await refusals.flush()
    expect(drafts.slice(before).map(({ details }) => details['repeats'])).toEqual([499, 441])
  })

  it('are logged where they cannot be written, and a defect does not tell its text', async () => {
    isFull = true
    await refusals.note(refusal({ code: 'INTERNAL', text: 'a secret' }))
    expect(warnings).toMatchObject([
      { actor: person('ada'), order: 'services.restart', why: 'A bug in Pilothouse' },
    ])
  })

  it('cut a text between characters, never through one', async () => {
    await refusals.note(refusal({ target: `${'a'.repeat(498)}😀😀` }))
    expect(drafts[0]?.target).toBe(`${'a'.repeat(498)}…`)
  })

  it('keep no more of a text than a person reads', async () => {
    await refusals.note(refusal({ text: 'x'.repeat(100_000), target: 'y'.repeat(100_000) }))
    expect(JSON.stringify(drafts).length).toBeLessThan(2000)
  })
})
