import { stripVTControlCharacters } from 'node:util'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** First and last code points of the blocks that terminals draw two cells wide (Unicode's East Asian Width W and F). */
const wideBlocks = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x18d00, 0x18d08],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
] as const

const invisible = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]*$/u
const emoji = /\p{Emoji_Presentation}|\ufe0f/u
/** Sound marks that join the grapheme of a half-width kana and still take a cell. */
const halfWidthMarks = /[\uff9e\uff9f]/g

function graphemeWidth(grapheme: string): number {
  if (invisible.test(grapheme)) return 0
  if (emoji.test(grapheme)) return 2
  const point = grapheme.codePointAt(0) ?? 0
  const isWide = wideBlocks.some(([first, last]) => point >= first && point <= last)
  return (isWide ? 2 : 1) + (grapheme.slice(1).match(halfWidthMarks)?.length ?? 0)
}

/** Cells that a terminal draws `text` in: wide characters take two, combining ones and escape sequences none. */
export function cellWidth(text: string): number {
  const plain = text.includes('\u001b') ? stripVTControlCharacters(text) : text
  if (/^[\u0020-\u007e\u00a0]*$/.test(plain)) return plain.length
  let width = 0
  for (const { segment } of graphemes.segment(plain)) width += graphemeWidth(segment)
  return width
}

/** The start of a text in at most `width` cells, for what cannot go on in another line. */
export function clipped(text: string, width: number): string {
  if (cellWidth(text) <= width) return text
  let used = 0
  let shown = ''
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment)
    if (used > width) break
    shown += segment
  }
  return shown
}

/** Stands where a word goes on in the next line. */
const brokenHere = '…'

/** A word that is wider than a line, in parts that end with a mark. No character is torn from what combines with it. */
function brokenWord(word: string, width: number): string[] {
  const parts: string[] = []
  let part = ''
  let used = 0
  for (const { segment } of graphemes.segment(stripVTControlCharacters(word))) {
    const size = graphemeWidth(segment)
    if (used + size > width - 1 && part !== '') {
      parts.push(part + brokenHere)
      part = ''
      used = 0
    }
    part += segment
    used += size
  }
  return [...parts, part]
}

/**
 * A text in lines of at most `width` cells, broken at spaces; a no-break space holds its words together. A word that is
 * wider than a line goes on in the next one, with a mark at the break.
 */
export function wrapped(text: string, width: number): string[] {
  if (cellWidth(text) <= width) return [text]
  const room = Math.max(4, width)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/ +/)) {
    const joined = line === '' ? word : `${line} ${word}`
    if (cellWidth(joined) <= room) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    const parts = cellWidth(word) <= room ? [word] : brokenWord(word, room)
    lines.push(...parts.slice(0, -1))
    line = parts.at(-1) ?? ''
  }
  return [...lines, line]
}

/** Text for a person on lines of at most `width` cells: what goes on in another line stands deeper than where it began. */
export function fitted(text: string, width: number): string {
  const fit = (line: string): string => {
    if (cellWidth(line) <= width) return line
    const [margin = ''] = /^ */.exec(line) ?? []
    const hanging = ' '.repeat(Math.min(margin.length + 2, Math.floor(width / 3)))
    const [first = '', ...rest] = wrapped(line.slice(margin.length), width - hanging.length)
    return [margin.slice(0, hanging.length) + first, ...rest.map((each) => hanging + each)].join('\n')
  }
  const lines = Number.isFinite(width) ? text.split('\n').map(fit).join('\n') : text
  return lines.replaceAll('\u00a0', ' ')
}
