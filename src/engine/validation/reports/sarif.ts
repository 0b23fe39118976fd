import * as z from 'zod'
import { phraseText } from '../../../contract/index.ts'
import { parseJson, unreadable, type ReportVerdict } from './verdict.ts'

/** Most findings of each kind that are let pass; null does not look. */
export interface SarifLimits {
  maxErrors: number | null
  maxWarnings: number | null
  maxNotes: number | null
  /** By the rules' `security-severity`: critical from 9.0, high from 7.0, medium from 4.0. */
  maxCritical: number | null
  maxHigh: number | null
  maxMedium: number | null
  maxLow: number | null
}

const mostFindings = 200_000
const mostNamed = 50

const levelSchema = z.enum(['none', 'note', 'warning', 'error'])
const ruleSchema = z.object({
  id: z.string().optional(),
  defaultConfiguration: z.object({ level: levelSchema.optional() }).optional(),
  properties: z.object({ 'security-severity': z.union([z.string(), z.number()]).optional() }).optional(),
})
const findingSchema = z.object({
  ruleId: z.string().optional(),
  ruleIndex: z.number().int().optional(),
  level: levelSchema.optional(),
  kind: z.string().optional(),
  message: z.object({ text: z.string().optional() }).optional(),
  baselineState: z.string().optional(),
  suppressions: z.array(z.object({ status: z.string().optional() })).optional(),
})
/** The part of SARIF 2.1.0 that a gate needs: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
const sarifSchema = z.object({
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.object({
        tool: z.object({
          driver: z.object({ name: z.string(), rules: z.array(ruleSchema).max(mostFindings).optional() }),
        }),
        invocations: z.array(z.object({ executionSuccessful: z.boolean() })).optional(),
        results: z.array(findingSchema).max(mostFindings).nullable().optional(),
      }),
    )
    .min(1)
    .max(1000),
})
type Run = z.infer<typeof sarifSchema>['runs'][number]
type Finding = z.infer<typeof findingSchema>

const kinds = ['critical', 'high', 'medium', 'low', 'error', 'warning', 'note'] as const
type Kind = (typeof kinds)[number]

/**
 * A SARIF 2.1.0 report against its limits. Suppressed findings, those that are no failures, and those that are gone
 * since the baseline do not count. A tool that says it did not succeed, or gives no results at all, proves nothing.
 */
export function judgeSarif(source: string, limits: SarifLimits): ReportVerdict {
  const json = parseJson(source)
  if ('why' in json) return unreadable(json.why)
  const parsed = sarifSchema.safeParse(json.value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return unreadable(`${phraseText(issue?.path.join('.') || 'the file')} does not follow SARIF 2.1.0`)
  }
  const { runs } = parsed.data
  const broken = runs.find(
    (run) => !run.results || run.invocations?.some(({ executionSuccessful }) => !executionSuccessful),
  )
  if (broken) return unreadable(`${phraseText(broken.tool.driver.name)} did not finish`)

  const counts = new Map<Kind, number>(kinds.map((kind) => [kind, 0]))
  const lines: string[] = []
  for (const run of runs) {
    const ruleOf = rulesOf(run)
    for (const finding of run.results ?? []) {
      if (!isOpen(finding)) continue
      const rule = ruleOf(finding)
      const found = kindsOf(finding, rule)
      for (const kind of found) counts.set(kind, (counts.get(kind) ?? 0) + 1)
      const words = `${finding.ruleId ?? rule?.id ?? ''} ${finding.message?.text ?? ''}`
      if (found.length > 0 && lines.length < mostNamed)
        lines.push(`${found.join(', ')}: ${phraseText(words)}`)
    }
  }
  const allowed: Record<Kind, number | null> = {
    critical: limits.maxCritical,
    high: limits.maxHigh,
    medium: limits.maxMedium,
    low: limits.maxLow,
    error: limits.maxErrors,
    warning: limits.maxWarnings,
    note: limits.maxNotes,
  }
  const complaints = kinds.flatMap((kind) => {
    const [count, most] = [counts.get(kind) ?? 0, allowed[kind]]
    return most !== null && count > most ? [`${count} of kind "${kind}", at most ${most} allowed`] : []
  })
  const sums = kinds.flatMap((kind) => (counts.get(kind) ? [`${counts.get(kind)} of kind "${kind}"`] : []))
  const isGood = complaints.length === 0
  const told = isGood ? sums : complaints
  return {
    isGood,
    text: told.length === 0 ? 'no findings' : `findings: ${told.join('; ')}`,
    output: lines.join('\n'),
  }
}

const isOpen = ({ kind, baselineState, suppressions }: Finding): boolean =>
  (kind ?? 'fail') === 'fail' &&
  baselineState !== 'absent' &&
  !suppressions?.some(({ status }) => (status ?? 'accepted') === 'accepted')

function rulesOf(run: Run) {
  const rules = run.tool.driver.rules ?? []
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  return ({ ruleIndex, ruleId }: Finding) =>
    (ruleIndex === undefined ? undefined : rules[ruleIndex]) ??
    (ruleId === undefined ? undefined : byId.get(ruleId))
}

/** Its level, which is a warning where nobody says otherwise; and its severity, where the rule has one. */
function kindsOf(finding: Finding, rule: z.infer<typeof ruleSchema> | undefined): Kind[] {
  const level = finding.level ?? rule?.defaultConfiguration?.level ?? 'warning'
  const severity = Number(rule?.properties?.['security-severity'] ?? NaN)
  const found: Kind[] = level === 'none' ? [] : [level]
  if (severity >= 9) found.push('critical')
  else if (severity >= 7) found.push('high')
  else if (severity >= 4) found.push('medium')
  else if (severity > 0) found.push('low')
  return found
}
