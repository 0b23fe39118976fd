/** One moment on both clocks: what people read, and what durations are measured on. A `Reading` is one too. */
export interface Moment {
  /** Wall time, UTC epoch ms. */
  atMs: number
  /** Monotonic time of the same process, ms. */
  monotonicMs: number
}
