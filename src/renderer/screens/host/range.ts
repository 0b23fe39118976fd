import type { TimeRange } from '../../charts/index.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Ranges that end now, shortest first. */
export const rangePresets = [
  { name: '5m', label: '5 m', words: 'last 5 minutes', spanMs: 5 * minute },
  { name: '15m', label: '15 m', words: 'last 15 minutes', spanMs: 15 * minute },
  { name: '1h', label: '1 h', words: 'last hour', spanMs: hour },
  { name: '6h', label: '6 h', words: 'last 6 hours', spanMs: 6 * hour },
  { name: '24h', label: '24 h', words: 'last 24 hours', spanMs: day },
  { name: '7d', label: '7 d', words: 'last 7 days', spanMs: 7 * day },
  { name: '30d', label: '30 d', words: 'last 30 days', spanMs: 30 * day },
] as const
export type RangePreset = (typeof rangePresets)[number]
const usual: RangePreset = rangePresets[1]

/** What the address says of time. */
export type RangeChoice =
  | { kind: 'live'; preset: RangePreset }
  /** Stopped by the person where it was; `range` is missing when the address did not say where. */
  | { kind: 'paused'; preset: RangePreset; range: TimeRange | undefined }
  /** A stretch that was dragged or sent as a link. */
  | { kind: 'still'; preset: RangePreset; range: TimeRange }

const leastSpanMs = 1000
const greatestSpanMs = 3 * 366 * day

/** Reads the choice from a query, whatever stands there. */
export function rangeChoice(query: URLSearchParams): RangeChoice {
  const preset = rangePresets.find(({ name }) => name === query.get('range')) ?? usual
  const range = stretch(query.get('from'), query.get('to'))
  if (query.get('paused') === '1') return { kind: 'paused', preset, range }
  return range ? { kind: 'still', preset, range } : { kind: 'live', preset }
}

/** The entries of a query that say the choice; null is no entry. */
export function rangeQuery(choice: RangeChoice): Record<'range' | 'from' | 'to' | 'paused', string | null> {
  const range = choice.kind === 'live' ? undefined : choice.range
  return {
    range: choice.preset === usual ? null : choice.preset.name,
    from: range ? String(Math.round(range.fromMs)) : null,
    to: range ? String(Math.round(range.toMs)) : null,
    paused: choice.kind === 'paused' ? '1' : null,
  }
}

/** The next longer (1) or shorter (-1) preset, or the same at either end. */
export function neighbour(preset: RangePreset, by: 1 | -1): RangePreset {
  return rangePresets[rangePresets.indexOf(preset) + by] ?? preset
}

/** Live charts move on by this much: a pixel of a wide chart, and never more often than samples come. */
export function liveStepMs(spanMs: number): number {
  return Math.max(1000, Math.floor(spanMs / 800))
}

function stretch(from: string | null, to: string | null): TimeRange | undefined {
  if (!from || !to) return undefined
  const fromMs = Number(from)
  const toMs = Number(to)
  const spanMs = toMs - fromMs
  const isSound = fromMs >= 0 && spanMs >= leastSpanMs && spanMs <= greatestSpanMs && toMs < 8e15
  return isSound ? { fromMs, toMs } : undefined
}
