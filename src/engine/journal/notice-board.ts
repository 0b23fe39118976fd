import type { Notice } from '../../contract/index.ts'
import { messageOf, type Clock, type LiveStore, type Log, type Rng } from '../core/index.ts'
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

  post(change: Omit<Notice, 'id' | 'atMs'>): void {
    const { journal, live, clock, rng, log } = this.#parts
    const notice: Notice = { ...change, id: rng.hex(8), atMs: clock.nowMs() }
    live.put('notices', [notice, ...(live.get('notices') ?? [])].slice(0, shownCount))
    journal.append(notice).then(
      (kept) => {
        if (!kept.ok) log.warn('a notice could not be kept', { error: kept.error.message, notice })
      },
      (thrown: unknown) => log.error('a notice could not be kept', { error: messageOf(thrown), notice }),
    )
  }
}
