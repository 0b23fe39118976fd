/** Quantities as people write them: `90d`, `1.5 h`, `100MB`, `80%`. Each reader gives undefined for anything else. */

const second = 1000
const day = 24 * 60 * 60 * second

const durationUnitsMs = {
  ms: 1,
  s: second,
  m: 60 * second,
  min: 60 * second,
  h: 60 * 60 * second,
  d: day,
  w: 7 * day,
  y: 365 * day,
} as const

const sizeUnitsBytes = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const

export const durationPattern = String.raw`^\d+(\.\d+)?\s?(ms|s|m|min|h|d|w|y)$`
export const sizePattern = String.raw`^\d+(\.\d+)?\s?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`
export const percentPattern = String.raw`^\d+(\.\d+)?\s?%$`

function quantity(
  text: string,
  pattern: string,
  units: Readonly<Record<string, number>>,
): number | undefined {
  if (!new RegExp(pattern).test(text)) return undefined
  const amount = Number.parseFloat(text)
  const unit = units[text.replace(/^[\d.]+\s?/, '')]
  return unit === undefined ? undefined : amount * unit
}

/** Milliseconds; a year is 365 days. */
export function parseDurationMs(text: string): number | undefined {
  return quantity(text, durationPattern, durationUnitsMs)
}

/** Bytes; `MB` is a million of them, `MiB` is 2^20. */
export function parseSizeBytes(text: string): number | undefined {
  return quantity(text, sizePattern, sizeUnitsBytes)
}

/** `80%` as 0.8. */
export function parsePercent(text: string): number | undefined {
  return new RegExp(percentPattern).test(text) ? Number.parseFloat(text) / 100 : undefined
}

function textIn(amount: number, units: readonly (readonly [string, number])[]): string {
  const [name, factor] = units.find(([, each]) => amount >= each && amount % each === 0) ??
    units.at(-1) ?? ['', 1]
  return `${amount / factor}${name}`
}

const largestFirst = (units: Readonly<Record<string, number>>, names: readonly string[]) =>
  names.map((name) => [name, units[name] ?? 1] as const)

/** Milliseconds in the largest unit that needs no fraction: 90000 is `90s`; 0 is `0s`. */
export const durationText = (ms: number): string =>
  ms === 0 ? '0s' : textIn(ms, largestFirst(durationUnitsMs, ['y', 'd', 'h', 'm', 's', 'ms']))

/** Bytes in the largest unit that needs no fraction. */
export const sizeText = (bytes: number): string =>
  textIn(bytes, largestFirst(sizeUnitsBytes, ['TiB', 'TB', 'GiB', 'GB', 'MiB', 'MB', 'KiB', 'kB', 'B']))
