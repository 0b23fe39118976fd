import { duration, type Notice } from '../../contract/index.ts'

/** What belongs together although it comes as several notices: a limit that is passed and left again and again. */
export interface Episode {
  /** The same for the same thing, such as `/host/local cpu`. */
  key: string
  /** Set when it is over for now: says so after the text of what began. */
  ending: string | null
}

/** What happened, before the board has given it an id and a time. */
export type News = Omit<Notice, 'id' | 'atMs'> & { episode?: Episode }

/** A row that may still grow. */
export interface OpenRow {
  notice: Notice
  /** Of what began last, without its count. */
  text: string
  count: number
  isOver: boolean
  firstAtMs: number
  /** On a clock that nobody sets. */
  lastMonotonicMs: number
}

/** News of the same thing within this time belongs to the same row. */
const sameEpisodeMs = 600_000
/** Rows that may still grow; the ones that have been still for longest give way. */
export const mostOpenRows = 500

/** The row after `news`: the earlier one with its count, or a new one with `id` when that is too long ago. */
export function rowAfter(
  earlier: OpenRow | undefined,
  news: News,
  now: { id: string; atMs: number; monotonicMs: number },
): OpenRow {
  const { episode, severity, link } = news
  const ending = episode?.ending ?? null
  const isOver = ending !== null
  const times = { firstAtMs: now.atMs, lastMonotonicMs: now.monotonicMs }
  if (!earlier || now.monotonicMs - earlier.lastMonotonicMs > sameEpisodeMs) {
    const notice = { id: now.id, atMs: now.atMs, severity, text: news.text, link }
    return { notice, text: news.text, count: 1, isOver, ...times }
  }
  const text = isOver ? earlier.text : news.text
  const isAgain = !isOver && (earlier.isOver || episode === undefined)
  const count = earlier.count + (isAgain ? 1 : 0)
  const { firstAtMs } = earlier
  const spanMs = Math.ceil(Math.max(1, now.atMs - firstAtMs) / 60_000) * 60_000
  const counted = count > 1 ? `${text}, ${count} times in ${duration(spanMs)}` : text
  const told = isOver ? `${counted}; ${ending}` : counted
  return {
    notice: { id: earlier.notice.id, atMs: now.atMs, severity, text: told, link },
    text,
    count,
    isOver,
    firstAtMs,
    lastMonotonicMs: now.monotonicMs,
  }
}
