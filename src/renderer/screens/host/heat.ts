import type { Columns, TimeRange } from '../../charts/index.ts'

/** Alpha of a value of 0; one of 1 is opaque. */
const faintest = 0.06

/**
 * The greatest value of each of `count` equal stretches of a range, as mean where bins are wider than a stretch; NaN
 * where nothing was measured.
 */
export function heatRow(column: Columns, { fromMs, toMs }: TimeRange, count: number): Float64Array {
  const row = new Float64Array(count).fill(Number.NaN)
  const { timesMs, mean, stepMs, length } = column
  const cellMs = (toMs - fromMs) / count
  for (let index = column.indexFrom(fromMs - stepMs); index < length; index++) {
    const timeMs = timesMs[index] ?? Infinity
    if (timeMs > toMs) break
    const value = mean[index] ?? Number.NaN
    if (Number.isNaN(value)) continue
    const first = Math.max(0, Math.floor((timeMs - fromMs) / cellMs))
    // A point speaks for its bin, or until the next sample where cells are narrower than samples are apart.
    const lastMs = stepMs > 0 ? timeMs + stepMs : Math.min(timesMs[index + 1] ?? timeMs, timeMs + 3500)
    const last = Math.min(count - 1, Math.max(first, Math.ceil((lastMs - fromMs) / cellMs) - 1))
    for (let cell = first; cell <= last; cell++) {
      const before = row[cell] ?? Number.NaN
      row[cell] = Number.isNaN(before) ? value : Math.max(before, value)
    }
  }
  return row
}

/** Paints one row of pixels for each column, as wide as the canvas is; the page scales it up. `colour` is #rrggbb. */
export function paintHeat(
  canvas: HTMLCanvasElement,
  columns: readonly Columns[],
  range: TimeRange,
  colour: string,
): void {
  const context = canvas.getContext('2d')
  if (!context || columns.length === 0) return
  const image = context.createImageData(canvas.width, columns.length)
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
  columns.forEach((column, rowIndex) => {
    heatRow(column, range, canvas.width).forEach((value, x) => {
      if (Number.isNaN(value)) return
      const at = (rowIndex * canvas.width + x) * 4
      image.data[at] = red ?? 0
      image.data[at + 1] = green ?? 0
      image.data[at + 2] = blue ?? 0
      image.data[at + 3] = 255 * (faintest + (1 - faintest) * Math.min(1, Math.max(0, value)))
    })
  })
  context.putImageData(image, 0, 0)
}
