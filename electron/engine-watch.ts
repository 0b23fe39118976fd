import {
  Connection,
  isEmergencyWay,
  undoOrder,
  portChannel,
  type Channels,
  type LiveRecords,
  type ServiceWayBack,
} from '../src/contract/index.ts'
import type { RollbackAnswer } from './emergency.ts'
import { absenceOf, type EngineProcess } from './engine-process.ts'
import type { Watched } from './watch-state.ts'

/** Without a word for this long the engine hangs, and what it told last is old. It speaks each second. */
const silentAfterMs = 5000
const lookEveryMs = 1000

/** The shell's own view of the engine, as one more consumer of its live state. */
export class EngineWatch {
  #engine: EngineProcess
  #connection: Connection
  #records: Partial<LiveRecords> = {}
  #isOpen = false
  #isSilent = true
  #heardAtMs = 0
  #timer: NodeJS.Timeout
  #changed: (watched: Watched) => void

  constructor(engine: EngineProcess, changed: (watched: Watched) => void) {
    this.#engine = engine
    this.#changed = changed
    this.#connection = new Connection({
      open: () => this.#openChannels(),
      nowMs: () => Date.now(),
      random: () => Math.random(),
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return () => clearTimeout(timer)
      },
      listener: {
        state: (state) => {
          this.#isOpen = state.kind === 'open'
          this.#tell()
        },
        greeted: () => undefined,
        changed: (records) => {
          this.#records = records
          this.#hear()
          this.#tell()
        },
        samples: () => undefined,
        heard: () => this.#hear(),
        refused: () => undefined,
      },
    })
    this.#connection.start()
    this.#timer = setInterval(() => this.#look(), lookEveryMs)
  }

  /** The engine's process is up: connect now, not at the end of a delay. */
  engineIsUp(): void {
    this.#connection.retryNow()
  }

  /** Rejects with what the engine says against it, or when it does not answer in time. */
  async rollBack(ways: readonly ServiceWayBack[]): Promise<RollbackAnswer> {
    const { rollback, deployments } = this.#connection.calls
    const why = 'from the tray'
    const options = { signal: AbortSignal.timeout(silentAfterMs) }
    const undo = ways.find((way) => !isEmergencyWay(way))
    if (!undo) {
      const services = ways.map(({ service }) => service)
      return { kind: 'outcomes', outcomes: await rollback.emergency({ services, why }, options) }
    }
    const { id } = await deployments.undo({ ...undoOrder(undo), why }, options)
    return { kind: 'undo', deploymentId: id }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#connection.close()
  }

  async #openChannels(): Promise<Channels> {
    const ports = this.#engine.connect('shell')
    if (!ports) throw new Error(absenceOf(this.#engine.state))
    return { live: portChannel<Uint8Array>(ports.live), calls: portChannel<string | Uint8Array>(ports.calls) }
  }

  #hear(): void {
    this.#heardAtMs = performance.now()
    if (!this.#isSilent) return
    this.#isSilent = false
    this.#tell()
  }

  #look(): void {
    const isSilent = performance.now() - this.#heardAtMs > silentAfterMs
    if (isSilent === this.#isSilent) return
    this.#isSilent = isSilent
    this.#tell()
  }

  #tell(): void {
    if (!this.#isOpen) this.#changed({ isLive: false, reason: absenceOf(this.#engine.state) })
    else if (this.#isSilent) this.#changed({ isLive: false, reason: 'the engine does not respond' })
    else this.#changed({ isLive: true, records: this.#records })
  }
}
