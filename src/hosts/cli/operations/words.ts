/** Text from outside (names, reasons, log lines) without what a terminal would act upon. */
export const harmless = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')

/** A span of time as a person says it: `45 s`, `2 min 5 s`, `3 h 4 min`, `2 d 1 h`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds === 0 && ms > 0) return `${Math.round(ms)} ms`
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const
  const first = Math.max(
    0,
    units.findIndex(([size]) => seconds >= size),
  )
  if (seconds === 0) return '0 s'
  let rest = seconds
  const parts = units.slice(first, first + 2).flatMap(([size, unit]) => {
    const count = Math.floor(rest / size)
    rest %= size
    return count > 0 ? [`${count} ${unit}`] : []
  })
  return parts.join(' ')
}

/** UTC, to the second: `2026-03-01 12:00:05Z`. */
export const momentText = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')}Z`

/** A share of the whole with the digits that mean something: 0.0234 is `2.3 %`. */
export const ratioText = (ratio: number | null): string =>
  ratio === null ? '-' : `${(ratio * 100).toFixed(ratio < 0.1 ? 2 : 1).replace(/\.?0+$/, '')} %`

/** A share as somebody wrote it: 0.07 is `7 %`, 0.0005 is `0.05 %`. */
export const limitText = (ratio: number): string => `${Number((ratio * 100).toPrecision(12))} %`

/** `12 ms`, `3.4 ms`, `-` where nothing was measured. */
export const millisecondsText = (ms: number | null): string =>
  ms === null ? '-' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`

/** Rows under each other, columns as wide as they need to be; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, k) => (widths[k] = Math.max(widths[k] ?? 0, cell.length)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, k) => (k === row.length - 1 ? cell : cell.padEnd(widths[k] ?? 0)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
