/** One thing that is drawn; `request` asks for it, however often, before the next free frame. */
export interface Drawing {
  request(): void
  dispose(): void
}

export interface FrameQueueOptions {
  /** Calls `run` before the next frame, with how long that took to come, milliseconds. */
  onFrame(run: (waitedMs: number) => void): void
  /** Calls `changed` whenever the element comes into view or leaves it; the result stops that. */
  observe(element: Element, changed: (isVisible: boolean) => void): () => void
}

interface Entry {
  draw: () => void
  isVisible: boolean
  isDue: boolean
}

/** At 60 frames a second each draws one; where frames come late, one more for each of these. */
const patienceMs = 50

/**
 * Spreads redraws over frames: one drawing a frame over the whole page, the longest waiting first, and only what can
 * be seen. On a busy machine, where frames are few, each takes more, so that no chart stays behind. What is out of view waits and is drawn when it comes into view.
 */
export class FrameQueue {
  #options: FrameQueueOptions
  #waiting = new Set<Entry>()
  #isFrameDue = false

  constructor(options: FrameQueueOptions) {
    this.#options = options
  }

  add(element: Element, draw: () => void): Drawing {
    const entry: Entry = { draw, isVisible: false, isDue: false }
    const stop = this.#options.observe(element, (isVisible) => {
      entry.isVisible = isVisible
      if (isVisible && entry.isDue) this.#enqueue(entry)
      else if (!isVisible) this.#waiting.delete(entry)
    })
    return {
      request: () => {
        entry.isDue = true
        if (entry.isVisible) this.#enqueue(entry)
      },
      dispose: () => {
        stop()
        entry.isDue = false
        this.#waiting.delete(entry)
      },
    }
  }

  #enqueue(entry: Entry): void {
    this.#waiting.add(entry)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isFrameDue || this.#waiting.size === 0) return
    this.#isFrameDue = true
    this.#options.onFrame((waitedMs) => {
      this.#isFrameDue = false
      const entries = [...this.#waiting].slice(0, 1 + Math.floor(waitedMs / patienceMs))
      try {
        for (const entry of entries) {
          this.#waiting.delete(entry)
          entry.isDue = false
          entry.draw()
        }
      } finally {
        this.#schedule()
      }
    })
  }
}

let shared: FrameQueue | undefined

/** The queue of this page. */
export function pageFrameQueue(): FrameQueue {
  shared ??= new FrameQueue({ onFrame: nextFrame, observe: observeVisibility() })
  return shared
}

function nextFrame(run: (waitedMs: number) => void): void {
  const askedAtMs = performance.now()
  requestAnimationFrame(() => run(performance.now() - askedAtMs))
}

function observeVisibility(): FrameQueueOptions['observe'] {
  const listeners = new Map<Element, (isVisible: boolean) => void>()
  const observer = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) listeners.get(target)?.(isIntersecting)
  })
  return (element, changed) => {
    listeners.set(element, changed)
    observer.observe(element)
    return () => {
      listeners.delete(element)
      observer.unobserve(element)
    }
  }
}
