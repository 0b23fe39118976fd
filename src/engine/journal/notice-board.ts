import { messageOf, type Clock, type Log, type Rng } from '../../base/index.ts'
import { type LiveStore } from '../core/index.ts'
import { mostOpenRows, rowAfter, type News, type OpenRow } from './episodes.ts'
import type { Journal } from './ports.ts'

/** How many notices screens hold; older ones stay in the journal. */
const shownCount = 100

export interface NoticeBoardParts {
  journal: Journal
  live: LiveStore
  clock: Clock
  rng: Rng
  log: Log
}

/** What changed lately, newest first: on screen at once, in the journal as soon as its disk allows. */
export class NoticeBoard {
  readonly #parts: NoticeBoardParts
  /** Rows that may still grow, the one that changed last at the end. */
  readonly #rows = new Map<string, OpenRow>()

  constructor(parts: NoticeBoardParts) {
    this.#parts = parts
    parts.live.put('notices', [])
  }

  /** Shows what earlier runs left. A journal that cannot be read leaves the board empty and is logged. */
  async load(): Promise<void> {
    const { journal, live, log } = this.#parts
    const kept = await journal.newest(shownCount)
    if (!kept.ok) {
      log.warn('earlier notices cannot be read', { error: kept.error.message })
      return
    }
    const posted = live.get('notices') ?? []
    const known = new Set(posted.map(({ id }) => id))
    live.put('notices', [...posted, ...kept.value.filter(({ id }) => !known.has(id))].slice(0, shownCount))
  }

  /** Shows and keeps `news`, in the row of the same thing if that is not long ago. */
  post(news: News): void {
    const { journal, live, clock, rng, log } = this.#parts
    const key = news.episode?.key ?? `${news.link} ${news.text}`
    const earlier = this.#rows.get(key)
    const now = { id: rng.hex(8), atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    const row = rowAfter(earlier, news, now)
    this.#rows.delete(key)
    this.#rows.set(key, row)
    for (const oldest of this.#rows.keys()) {
      if (this.#rows.size <= mostOpenRows) break
      this.#rows.delete(oldest)
    }
    const { notice } = row
    const others = (live.get('notices') ?? []).filter(({ id }) => id !== notice.id)
    live.put('notices', [notice, ...others].slice(0, shownCount))
    const isNew = notice.id !== earlier?.notice.id
    const keeping = isNew ? journal.append(notice) : journal.replace(notice)
    keeping.then(
      (kept) => {
        if (!kept.ok) log.warn('a notice could not be stored', { error: kept.error.message, notice })
      },
      (thrown: unknown) => log.error('a notice could not be stored', { error: messageOf(thrown), notice }),
    )
  }
}
