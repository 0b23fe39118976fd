import { backoffMs, messageOf, type Clock, type Log, type Rng } from '../../base/index.ts'
import { duration, type ReadinessCheck } from '../../contract/index.ts'

/** What a loop gets beside its signal. */
export interface Heart {
  /** Says that the loop made progress. A loop with a deadline that stays silent longer shows as stalled. */
  beat(): void
}

/** Work that goes on as long as the engine lives. */
export interface Loop {
  /** Name of its readiness check, e.g. `telemetry`. Unique within a supervisor. */
  name: string
  /**
   * Runs until `signal` is aborted, then returns or rejects soon. Returning earlier, rejecting and throwing are all
   * failures: the loop is started again, with a new signal; the old one is aborted so that nothing of the failed
   * run goes on behind the new one.
   */
  run(signal: AbortSignal, heart: Heart): Promise<void>
  /** The longest silence between two beats, ms. Left out: the loop is not watched for progress. */
  deadlineMs?: number
}

export interface SupervisorOptions {
  clock: Clock
  rng: Rng
  log: Log
  /** Wait before the first restart, ms; doubles with each failure in a row. Default 500. */
  firstBackoffMs?: number
  /** The longest wait before a restart, ms. Default 30,000. */
  maxBackoffMs?: number
  /** A restarted loop that lives this long is well again, and its backoff starts anew, ms. Default 15,000. */
  provenAfterMs?: number
  /** How long `stop` waits for loops that ignore their signal, ms. Default 10,000. */
  stopWithinMs?: number
  /** How often silent loops are looked for, ms. Default 1,000. */
  watchEveryMs?: number
}

type Phase =
  { kind: 'running'; startedAt: number } | { kind: 'waiting'; timer: Disposable } | { kind: 'stopped' }

interface Supervised {
  loop: Loop
  phase: Phase
  run: { controller: AbortController; ended: Promise<void> } | undefined
  /** Failures in a row, and what the last of them said. */
  failureCount: number
  lastFailure: string
  /** Monotonic time of the last sign of life. */
  beatAt: number
  shown: ReadinessCheck
  /** It was taken out: its end is no failure. */
  isRemoved: boolean
}

/**
 * Keeps the loops of the engine alive. A loop that fails is restarted after an exponential backoff with jitter (half
 * of the wait is chance, so that loops which failed together do not return together) and shows as a degraded
 * readiness check until it has lived long enough to be trusted. A loop that hangs cannot be ended from outside; it
 * shows as stalled. Nothing a loop does reaches the process as an uncaught failure.
 */
export class Supervisor implements AsyncDisposable {
  readonly #clock: Clock
  readonly #rng: Rng
  readonly #log: Log
  readonly #timing: Required<Omit<SupervisorOptions, 'clock' | 'rng' | 'log'>>
  readonly #loops = new Map<string, Supervised>()
  readonly #listeners = new Set<(checks: ReadinessCheck[]) => void>()
  readonly #watch: Disposable
  #announced: ReadinessCheck[] = []
  #stopping: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#clock = options.clock
    this.#rng = options.rng
    this.#log = options.log
    this.#timing = {
      firstBackoffMs: options.firstBackoffMs ?? 500,
      maxBackoffMs: options.maxBackoffMs ?? 30_000,
      provenAfterMs: options.provenAfterMs ?? 15_000,
      stopWithinMs: options.stopWithinMs ?? 10_000,
      watchEveryMs: options.watchEveryMs ?? 1000,
    }
    this.#watch = this.#clock.every(this.#timing.watchEveryMs, () => this.#refresh())
  }

  /** Starts `loop` and keeps it running. Throws on a name that is taken and after `stop`: both are bugs. */
  add(loop: Loop): void {
    if (this.#stopping) throw new Error(`loop ${loop.name} was added to a stopped supervisor`)
    if (this.#loops.has(loop.name)) throw new Error(`a loop named ${loop.name} already exists`)
    const supervised: Supervised = {
      loop,
      phase: { kind: 'stopped' },
      run: undefined,
      failureCount: 0,
      lastFailure: '',
      beatAt: 0,
      shown: { name: loop.name, ok: true, text: 'running', sinceMs: this.#clock.nowMs() },
      isRemoved: false,
    }
    this.#loops.set(loop.name, supervised)
    this.#start(supervised)
    this.#refresh()
  }

  /**
   * Ends the loop of this name, if there is one, and forgets it. Resolves when it has ended, at the latest after
   * `stopWithinMs`: then it is logged and left behind.
   */
  async remove(name: string): Promise<void> {
    const supervised = this.#loops.get(name)
    if (!supervised) return
    this.#loops.delete(name)
    supervised.isRemoved = true
    await this.#end([supervised], `loop ${name} is no longer needed`)
    this.#refresh()
  }

  /** One check a loop, in the order they were added; as of now. */
  checks(): ReadinessCheck[] {
    return [...this.#loops.values()].map((supervised) => this.#check(supervised))
  }

  /** Calls `listener` whenever a check changes its state or sentence; dispose to stop. */
  subscribe(listener: (checks: ReadinessCheck[]) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Aborts all loops and waits until they have ended. A loop that ignores its signal is waited for up to
   * `stopWithinMs`, then logged by name and left behind. Never rejects; a second call waits for the same end.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #start(supervised: Supervised): void {
    const { loop } = supervised
    const controller = new AbortController()
    const now = this.#clock.monotonicMs()
    supervised.phase = { kind: 'running', startedAt: now }
    supervised.beatAt = now
    const heart: Heart = {
      beat: () => {
        if (!controller.signal.aborted) supervised.beatAt = this.#clock.monotonicMs()
      },
    }
    const ended = runGuarded(() => loop.run(controller.signal, heart)).then((failure) => {
      controller.abort(new Error(`loop ${loop.name} has ended`))
      if (this.#stopping || supervised.isRemoved) supervised.phase = { kind: 'stopped' }
      else this.#restartLater(supervised, failure ?? 'it ended although nothing stopped it')
    })
    supervised.run = { controller, ended }
  }

  #restartLater(supervised: Supervised, failure: string): void {
    if (this.#isProven(supervised)) supervised.failureCount = 0
    supervised.failureCount += 1
    supervised.lastFailure = failure
    const { firstBackoffMs, maxBackoffMs } = this.#timing
    const backoff = { firstMs: firstBackoffMs, longestMs: maxBackoffMs }
    const waitMs = backoffMs(supervised.failureCount, backoff, this.#rng.next())
    supervised.phase = {
      kind: 'waiting',
      timer: this.#clock.after(waitMs, () => {
        this.#start(supervised)
        this.#refresh()
      }),
    }
    this.#log.error('a loop failed and will be restarted', {
      loop: supervised.loop.name,
      failure,
      consecutiveFailures: supervised.failureCount,
      restartInMs: Math.round(waitMs),
    })
    this.#refresh()
  }

  #isProven({ phase }: Supervised): boolean {
    return (
      phase.kind === 'running' && this.#clock.monotonicMs() - phase.startedAt >= this.#timing.provenAfterMs
    )
  }

  #check(supervised: Supervised): ReadinessCheck {
    const { loop, phase, failureCount, lastFailure, shown } = supervised
    const silentMs = this.#clock.monotonicMs() - supervised.beatAt
    const isStalled = phase.kind === 'running' && loop.deadlineMs !== undefined && silentMs > loop.deadlineMs
    let text = 'running'
    if (phase.kind === 'stopped') text = 'stopped'
    else if (this.#stopping) text = 'is not stopping'
    else if (isStalled) text = `stalled: no progress for more than ${duration(loop.deadlineMs ?? 0)}`
    else if (phase.kind === 'waiting') text = `failed and is about to restart: ${lastFailure}`
    else if (failureCount > 0 && !this.#isProven(supervised)) text = `restarted after: ${lastFailure}`
    const isOk = text === 'running'
    if (isOk === shown.ok && text === shown.text) return shown
    const sinceMs = isOk === shown.ok ? shown.sinceMs : this.#clock.nowMs()
    supervised.shown = { name: loop.name, ok: isOk, text, sinceMs }
    return supervised.shown
  }

  #refresh(): void {
    const checks = this.checks()
    const isAnnounced =
      checks.length === this.#announced.length && checks.every((check, i) => check === this.#announced[i])
    if (isAnnounced) return
    this.#announced = checks
    for (const listener of [...this.#listeners]) {
      try {
        listener(checks)
      } catch (thrown) {
        this.#log.error('a listener of the readiness checks failed', { failure: messageOf(thrown) })
      }
    }
  }

  async #stop(): Promise<void> {
    this.#watch[Symbol.dispose]()
    await this.#end([...this.#loops.values()], 'the engine is stopping')
    this.#refresh()
  }

  /** Aborts these and waits until they have ended, or are late. */
  async #end(all: readonly Supervised[], why: string): Promise<void> {
    const open = new Set<Supervised>()
    for (const supervised of all) {
      if (supervised.phase.kind === 'waiting') {
        supervised.phase.timer[Symbol.dispose]()
        supervised.phase = { kind: 'stopped' }
      }
      if (supervised.phase.kind === 'running') open.add(supervised)
    }
    const ends = [...open].map(async (supervised) => {
      supervised.run?.controller.abort(new Error(why))
      await supervised.run?.ended
      open.delete(supervised)
    })
    const { promise: late, resolve } = Promise.withResolvers<void>()
    using _timer = this.#clock.after(this.#timing.stopWithinMs, resolve)
    await Promise.race([Promise.all(ends), late])
    for (const { loop } of open)
      this.#log.error('a loop ignored its signal and was left behind', { loop: loop.name })
  }
}

/** Runs `run` to its end, whichever way it ends. Gives the failure's sentence, or nothing when it returned. */
async function runGuarded(run: () => Promise<void>): Promise<string | undefined> {
  try {
    await run()
    return undefined
  } catch (thrown) {
    return messageOf(thrown)
  }
}
