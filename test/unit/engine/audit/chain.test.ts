import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { actorKinds, type AuditEntry } from '../../../../src/contract/index.ts'
import {
  auditAsCsv,
  auditAsJsonLines,
  canonicalJson,
  chainStart,
  findBreak,
  link,
  type AuditDraft,
  type ChainEnd,
} from '../../../../src/engine/audit/index.ts'
import { person } from '../../../support/person.ts'

const draft = (over: Partial<AuditDraft> = {}): AuditDraft => ({
  atMs: 1_767_225_600_000,
  actor: person('anna'),
  action: 'deployments.abort',
  target: 'checkout',
  why: 'errors',
  details: { deploymentId: 'd1' },
  ...over,
})

function chainOf(drafts: readonly AuditDraft[]): AuditEntry[] {
  let end: ChainEnd = chainStart
  return drafts.map((each) => {
    const entry = link(end, each)
    end = entry
    return entry
  })
}

const anyDraft = fc.record({
  atMs: fc.integer(),
  actor: fc.record({ kind: fc.constantFrom(...actorKinds), name: fc.string() }),
  action: fc.string(),
  target: fc.string(),
  why: fc.string(),
  details: fc.dictionary(fc.string(), fc.jsonValue()),
})

describe('the audit chain', () => {
  it('holds what UTF-8 can hold, so that an entry comes back from a store as it was hashed', () => {
    const halves = { why: 'a\ud800', target: '\udc00', details: { ['k\ud83d']: ['\ude00'] } }
    const [entry] = chainOf([draft({ ...halves, actor: person('\ud83d') })])
    const kept = JSON.parse(Buffer.from(JSON.stringify(entry)).toString()) as AuditEntry
    expect(kept).toMatchObject({ why: 'a\ufffd', target: '\ufffd', details: { 'k\ufffd': ['\ufffd'] } })
    expect(findBreak([kept])).toBeNull()
  })

  it('covers the kind of the actor, and takes a name from before kinds as it was hashed', () => {
    const [made] = chainOf([draft({ actor: person('anna') })])
    if (!made) throw new Error('no entry')
    expect(findBreak([{ ...made, actor: { kind: 'engine', name: 'anna' } }])).toMatchObject({ seq: 1 })
    const older = chainOf([draft({ actor: { kind: 'unrecorded', name: 'anna' } })])
    expect(findBreak(older)).toBeNull()
    expect(JSON.parse(auditAsJsonLines(older))).toMatchObject({ actor: 'anna' })
  })

  it('is whole for any entries, also after they went through JSON', () => {
    fc.assert(
      fc.property(fc.array(anyDraft, { maxLength: 8 }), (drafts) => {
        const kept = JSON.parse(JSON.stringify(chainOf(drafts))) as AuditEntry[]
        expect(findBreak(kept)).toBeNull()
      }),
    )
  })

  it('names the first entry that was changed, whatever was changed in it', () => {
    const fields: (keyof AuditDraft)[] = ['atMs', 'actor', 'action', 'target', 'why', 'details']
    fc.assert(
      fc.property(fc.nat(4), fc.constantFrom(...fields), (at, field) => {
        const chain = chainOf(Array.from({ length: 5 }, () => draft()))
        const touched = chain.map((entry, i) =>
          i === at ? { ...entry, [field]: field === 'atMs' ? 1 : field === 'details' ? {} : 'other' } : entry,
        )
        expect(findBreak(touched)?.seq).toBe(at + 1)
      }),
    )
  })

  it('finds an entry that was taken out, put in elsewhere, or written anew with its own hash', () => {
    const chain = chainOf(['a', 'b', 'c', 'd'].map((why) => draft({ why })))
    expect(findBreak(chain.filter(({ seq }) => seq !== 2))).toMatchObject({ seq: 3 })
    expect(findBreak([chain[1], chain[0]].filter((entry) => entry !== undefined))).toMatchObject({ seq: 2 })
    const forged = link(chainStart, draft({ why: 'never happened' }))
    expect(findBreak([forged, ...chain.slice(1)])).toMatchObject({ seq: 2 })
  })

  it('goes on from any entry that is trusted', () => {
    const chain = chainOf([draft(), draft(), draft()])
    expect(findBreak(chain.slice(1), chain[0])).toBeNull()
  })
})

describe('canonical JSON', () => {
  it('is one text for one value, in whatever order its keys were set', () => {
    expect(canonicalJson({ b: 1, a: [{ d: null, c: 'x' }] })).toBe('{"a":[{"c":"x","d":null}],"b":1}')
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('the audit export', () => {
  it('as JSON lines can be read back and verified', () => {
    const lines = auditAsJsonLines(chainOf([draft(), draft({ why: 'line\nbreak' })]))
    const read = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry)
    expect(read).toHaveLength(2)
    expect(findBreak(read)).toBeNull()
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '=HYPERLINK("http://x";"y")'])(
    'as CSV makes no formula of %j, and no further row',
    (why) => {
      const [header, ...rows] = auditAsCsv(chainOf([draft({ why: `${why}\r\nevil,row` })])).split('\r\n')
      expect(header?.split(',')).toHaveLength(10)
      expect(rows).toEqual([expect.stringContaining('evil,row'), ''])
      const shown = why.replaceAll('"', '""').replace('\r', '\\u000d').replace('\n', '\\u000a')
      expect(rows[0]).toContain(`"'${shown}\\u000d\\u000aevil,row"`)
    },
  )

  it.each(['csv', 'jsonl'] as const)('as %s holds nothing that steers a terminal or turns text', (format) => {
    const entries = chainOf([draft({ why: 'a\u001b]0;owned\u0007b\u009b31mc\u202ed\re', target: '\u2028' })])
    const text = format === 'csv' ? auditAsCsv(entries) : auditAsJsonLines(entries)
    const shown = text.replaceAll('\r\n', '\n')
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e]/)
    if (format === 'jsonl') expect(findBreak([JSON.parse(text) as AuditEntry])).toBeNull()
  })

  it('as CSV quotes what would break a row, and what a spreadsheet would run', () => {
    const csv = auditAsCsv(chainOf([draft({ why: 'said "no", twice', actor: person('=cmd()') })]))
    expect(csv).toContain('"said ""no"", twice"')
    expect(csv).toContain("'=cmd()")
    expect(csv.startsWith('seq,time,actor,actorKind,action,target,why,details,previousHash,hash\r\n')).toBe(
      true,
    )
    expect(csv).toContain('2026-01-01T00:00:00.000Z')
  })
})
