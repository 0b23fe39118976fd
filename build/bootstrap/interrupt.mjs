/**
 * Turns the system's requests to end into at most two calls. A terminal's Ctrl-C reaches us twice when npm runs us
 * (from the terminal and forwarded by npm), so what follows within `sameMs` is the same request.
 */
export class Interrupts {
  #firstAtMs = 0
  #count = 0
  #sameMs
  #onStop
  #onKill

  /** @param {{ onStop: () => void, onKill: () => void, sameMs?: number }} options */
  constructor({ onStop, onKill, sameMs = 500 }) {
    this.#onStop = onStop
    this.#onKill = onKill
    this.#sameMs = sameMs
  }

  /**
   * One request arrived at `atMs` (any clock that does not go back).
   * @param {number} atMs
   */
  request(atMs) {
    if (this.#count > 0 && atMs - this.#firstAtMs < this.#sameMs) return
    this.#count += 1
    if (this.#count === 1) {
      this.#firstAtMs = atMs
      this.#onStop()
    } else {
      this.#onKill()
    }
  }

  /**
   * Listens to the signals, and to the loss of the npm that started us: killed without a chance to pass a signal
   * on, it would leave us behind.
   */
  listen() {
    const request = () => this.request(performance.now())
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, request)
    // A closed terminal must not turn our last words into a crash.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return
    const parent = process.ppid
    const watch = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(watch)
      request()
    }, 2000)
    watch.unref()
  }
}
