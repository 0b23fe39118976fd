import { describe, expect, it } from 'vitest'
import {
  contract,
  engineActor,
  mayDo,
  operator,
  rights,
  roles,
  type ProcedureMeta,
} from '../../../src/contract/index.ts'

describe('who acts', () => {
  it('is never taken for the engine, whatever the account is called', () => {
    expect(operator('ada').name).toBe('ada')
    expect(operator(engineActor.name).name).not.toBe(engineActor.name)
  })
})

describe('the table of rights', () => {
  const procedures = Object.entries(contract).flatMap(([domain, table]) =>
    Object.entries(table as Record<string, { '~orpc': { meta: ProcedureMeta } }>).map(
      ([name, procedure]) => [`${domain}.${name}`, procedure['~orpc'].meta] as const,
    ),
  )

  it.each(procedures)('has the right that %s needs', (_, { right }) => {
    expect(Object.keys(rights)).toContain(right)
  })

  it('has no right that nothing needs', () => {
    expect(new Set(procedures.map(([, { right }]) => right))).toEqual(new Set(Object.keys(rights)))
  })

  it('lets nobody who may only look change production', () => {
    for (const [name, { right, isOrder }] of procedures)
      if (isOrder) expect(mayDo('viewer', right), name).toBe(false)
  })

  it('gives each role what the roles before it have', () => {
    for (const right of Object.keys(rights) as (keyof typeof rights)[]) {
      const may = roles.map((role) => mayDo(role, right))
      expect(may).toEqual([...may].sort((a, b) => Number(a) - Number(b)))
      expect(may.at(-1)).toBe(true)
    }
  })
})
