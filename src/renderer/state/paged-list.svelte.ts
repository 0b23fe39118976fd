import { failureOf, type CallFailure } from './failure.ts'

/** A list that comes in pages, newest first; what is shown stays until what replaces it is there. */
export class PagedList<Row> {
  #pageSize: number
  #page: (after: Row | undefined) => Promise<Row[]>
  #rows = $state.raw<readonly Row[]>()
  /** What the rows were asked with. */
  #shownKey = $state('')
  #failure = $state.raw<CallFailure>()
  #isBusy = $state(false)
  #hasMore = $state(false)
  #turn = 0
  #key = $state('')

  /** `page` gives at most `pageSize` rows that come after `after`, or the first ones. */
  constructor(pageSize: number, page: (after: Row | undefined) => Promise<Row[]>) {
    this.#pageSize = pageSize
    this.#page = page
  }

  get rows(): readonly Row[] | undefined {
    return this.#rows
  }
  get failure(): CallFailure | undefined {
    return this.#failure
  }
  /** The rows are older than the question: the engine did not answer again, or answered another one. */
  get isOld(): boolean {
    return this.#rows !== undefined && (this.#failure !== undefined || this.#shownKey !== this.#key)
  }
  get value(): readonly Row[] | undefined {
    return this.#rows
  }
  get isBusy(): boolean {
    return this.#isBusy
  }
  get hasMore(): boolean {
    return this.#hasMore
  }

  /** Loads from the top. The same `key` again keeps as many pages as were shown. */
  async load(key: string): Promise<void> {
    const wanted = key === this.#key ? Math.max(this.#pageSize, this.#rows?.length ?? 0) : this.#pageSize
    this.#key = key
    await this.#take([], wanted)
  }

  /** Asks for the same once more: a person wants to, after a failure. */
  retry(): void {
    void this.load(this.#key)
  }

  async loadMore(): Promise<void> {
    const shown = this.#rows ?? []
    await this.#take(shown, shown.length + this.#pageSize)
  }

  async #take(start: readonly Row[], wanted: number): Promise<void> {
    const turn = ++this.#turn
    this.#isBusy = true
    const rows = [...start]
    let isLast = false
    try {
      while (rows.length < wanted && !isLast) {
        const page = await this.#page(rows.at(-1))
        if (turn !== this.#turn) return
        rows.push(...page)
        isLast = page.length < this.#pageSize
      }
      this.#rows = rows
      this.#shownKey = this.#key
      this.#hasMore = !isLast
      this.#failure = undefined
    } catch (error) {
      if (turn === this.#turn) this.#failure = failureOf(error)
    } finally {
      if (turn === this.#turn) this.#isBusy = false
    }
  }
}
