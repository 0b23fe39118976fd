const tickMs = 500

/** The page's time as state, for ages and countdowns. Stands still while nobody sees the page. */
export class PageClock implements Disposable {
  #nowMs = $state(Date.now())
  #timer: ReturnType<typeof setInterval> | undefined
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
    clearInterval(this.#timer)
  }

  #follow(): void {
    clearInterval(this.#timer)
    if (document.hidden) return
    this.#nowMs = Date.now()
    this.#timer = setInterval(() => (this.#nowMs = Date.now()), tickMs)
  }
}
