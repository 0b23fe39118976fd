import { cellWidth, wrapped } from './text-width.ts'

export interface TableColumn {
  /** Empty in a table that needs no heading. */
  heading?: string
  /** Text that may take several lines where there is little room. */
  isProse?: boolean
  /** Prose whose long words may be broken, such as paths and JSON. */
  isBreakable?: boolean
  /** Left out where there is too little room, the highest number first; a column without one always stands. */
  dropAt?: number
}

export interface TableLayout {
  /** Cells of the terminal; infinite where nobody looks at one. */
  width: number
  /** Blanks before each line. */
  indent?: number
  /** Draws the line of headings. */
  style?: (heading: string) => string
}

const gap = 2
/** A column of prose is never narrower, unless all of it is. */
const leastProse = 16

/**
 * Rows under each other, no line wider than the terminal: first prose takes several lines, then columns are left out,
 * and where that is not enough each row becomes a block with a line for each of its cells. Nothing is ever cut off, and
 * a last line names the columns that are left out.
 */
export function table(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { width, indent = 0, style = (heading) => heading }: TableLayout,
): string {
  const hasHeadings = columns.some(({ heading }) => heading)
  const headings = columns.map(({ heading = '' }) => heading)
  const all = hasHeadings ? [headings, ...rows] : rows
  const room = width - indent
  const margin = ' '.repeat(indent)
  let shown = columns.map((_, index) => index)
  for (;;) {
    const widths = widthsOf(shown, columns, all, room)
    if (widths) {
      const text = all.map((row, k) => {
        const lines = rowLines(shown, widths, row).map((line) => `${margin}${line}`.trimEnd())
        return `${hasHeadings && k === 0 ? style(lines.join('\n')) : lines.join('\n')}\n`
      })
      const hidden = headings.filter((_, index) => !shown.includes(index))
      return text.join('') + hiddenText(hidden, room, margin, style)
    }
    const next = dropped(shown, columns)
    if (!next) return stacked(headings, rows, room, margin, style)
    shown = next
  }
}

/** Says which columns there was no room for. */
function hiddenText(
  hidden: readonly string[],
  room: number,
  margin: string,
  style: (text: string) => string,
): string {
  if (hidden.length === 0) return ''
  const lines = wrapped(`Not shown at this width: ${hidden.join(', ')}`, room)
  return lines.map((line) => `${margin}${style(line)}\n`).join('')
}

/** Without the column that is given up first; null when none may be. */
function dropped(shown: readonly number[], columns: readonly TableColumn[]): number[] | null {
  const at = (index: number) => columns[index]?.dropAt ?? 0
  const first = Math.max(0, ...shown.map(at))
  return first === 0 ? null : shown.filter((index) => at(index) !== first)
}

/** How wide each column is, so that all fit and only words of breakable columns are broken; null when they do not fit. */
function widthsOf(
  shown: readonly number[],
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  room: number,
): number[] | null {
  const cells = (index: number) => rows.map((row) => row[index] ?? '')
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(cellWidth))
  const widths = shown.map((index) => widest(cells(index)))
  const least = shown.map((index, k) => {
    const { isProse, isBreakable } = columns[index] ?? {}
    if (isBreakable) return Math.min(widths[k] ?? 0, leastProse)
    if (!isProse) return widths[k] ?? 0
    const words = cells(index).flatMap((cell) => cell.split(' '))
    return Math.min(widths[k] ?? 0, Math.max(leastProse, widest(words)))
  })
  let over = widths.reduce((sum, each) => sum + each, gap * (shown.length - 1)) - room
  while (over > 0) {
    const k = widths.reduce(
      (best, each, index) =>
        each > (least[index] ?? 0) && (best < 0 || each > (widths[best] ?? 0)) ? index : best,
      -1,
    )
    if (k < 0) return null
    widths[k] = (widths[k] ?? 0) - 1
    over -= 1
  }
  return widths
}

/** One row; a cell of prose may make several lines of it. */
function rowLines(shown: readonly number[], widths: readonly number[], row: readonly string[]): string[] {
  const cells = shown.map((index, k) => wrapped(row[index] ?? '', widths[k] ?? 0))
  const height = Math.max(1, ...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, k) => {
        const text = lines[line] ?? ''
        return text + ' '.repeat(Math.max(0, (widths[k] ?? 0) - cellWidth(text)))
      })
      .join(' '.repeat(gap)),
  )
}

/** Each row as a block: its cells under each other, each with its heading where there is one. */
function stacked(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  room: number,
  margin: string,
  style: (heading: string) => string,
): string {
  const label = Math.max(...headings.map(cellWidth))
  const hanging = label === 0 ? gap : label + gap
  const blocks = rows.map((row) => {
    const lines =
      label === 0
        ? wrapped(row.filter((cell) => cell !== '').join(' '), room - hanging).map((line, k) =>
            k === 0 ? line : ' '.repeat(hanging) + line,
          )
        : row.flatMap((cell, k) =>
            cell === ''
              ? []
              : wrapped(cell, room - hanging).map((line, at) => {
                  const heading = at === 0 ? (headings[k] ?? '') : ''
                  return style(heading) + ' '.repeat(hanging - cellWidth(heading)) + line
                }),
          )
    return lines.map((line) => `${margin}${line}`.trimEnd() + '\n').join('')
  })
  return blocks.join(label === 0 ? '' : '\n')
}
