const tickMs = 1000

/**
 * The page's time as state, for ages and countdowns: once a second, on the second, so that all of them change
 * together and no text that counts seconds skips one. Stands still while nobody sees the page.
 */
export class PageClock implements Disposable {
  #nowMs = $state(Date.now())
  #timer: ReturnType<typeof setTimeout> | undefined
  #turned = () => this.#follow()

  constructor() {
    document.addEventListener('visibilitychange', this.#turned)
    this.#follow()
  }

  get nowMs(): number {
    return this.#nowMs
  }

  [Symbol.dispose](): void {
    document.removeEventListener('visibilitychange', this.#turned)
    clearTimeout(this.#timer)
  }

  #follow(): void {
    clearTimeout(this.#timer)
    if (document.hidden) return
    const nowMs = Date.now()
    this.#nowMs = nowMs
    this.#timer = setTimeout(() => this.#follow(), tickMs - (nowMs % tickMs))
  }
}
