import { phraseText } from '../../../contract/index.ts'
import { parseJson, unreadable, type ReportVerdict } from './verdict.ts'

/** One figure of a JSON report and what it must be. */
export interface JsonRule {
  /** Where it stands, as a JSON pointer (RFC 6901): `/total/lines/pct`. */
  pointer: string
  min?: number | undefined
  max?: number | undefined
  equals?: string | number | boolean | undefined
}

/** Holds figures of a JSON report against rules. A figure that is not there breaks its rule. */
export function judgeJson(source: string, rules: readonly JsonRule[]): ReportVerdict {
  const parsed = parseJson(source)
  if ('why' in parsed) return unreadable(parsed.why)
  const complaints = rules.flatMap((rule) => complaintOf(rule, valueAt(parsed.value, rule.pointer)))
  const figures = rules.map(({ pointer }) => `${pointer}: ${shown(valueAt(parsed.value, pointer))}`)
  return {
    isGood: complaints.length === 0,
    text: complaints.length === 0 ? `${rules.length} values follow their rules` : complaints.join('; '),
    output: figures.join('\n'),
  }
}

function complaintOf({ pointer, min, max, equals }: JsonRule, value: unknown): string[] {
  if (value === undefined) return [`${pointer} is missing`]
  if (equals !== undefined && value !== equals) return [`${pointer} is ${shown(value)}, not ${shown(equals)}`]
  if (min === undefined && max === undefined) return []
  if (typeof value !== 'number' || !Number.isFinite(value))
    return [`${pointer} is ${shown(value)}, not a number`]
  if (min !== undefined && value < min) return [`${pointer} is ${value}, less than ${min}`]
  if (max !== undefined && value > max) return [`${pointer} is ${value}, more than ${max}`]
  return []
}

/** Own members only: `/__proto__` and `/constructor` are not figures. */
function valueAt(root: unknown, pointer: string): unknown {
  let value = root
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

const longestShown = 200

/** A figure for a person; of lists and sections, which may be huge, only what they are. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a section'
  return phraseText(JSON.stringify(typeof value === 'string' ? value.slice(0, longestShown) : value))
}
