import { excessOf } from './json-bounds.ts'

/** What a report of a tool says, held against its limits. */
export interface ReportVerdict {
  isGood: boolean
  /** A clause without a full stop: "12 of 12 tests ran, 0 failed". */
  text: string
  /** Particulars, a line each. */
  output: string
}

/** A report that cannot be read proves nothing. `why` is a clause. */
export const unreadable = (why: string): ReportVerdict => ({
  isGood: false,
  text: `it cannot be read: ${why}`,
  output: '',
})

/** Parses untrusted JSON; gives a clause instead when it is none. */
export function parseJson(source: string): { value: unknown } | { why: string } {
  const excess = excessOf(source)
  if (excess !== '') return { why: excess }
  try {
    return { value: JSON.parse(source.replace(/^\uFEFF/, '')) as unknown }
  } catch {
    return { why: 'it is not JSON, or it is truncated' }
  }
}
