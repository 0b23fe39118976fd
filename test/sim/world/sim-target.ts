import { AppError, fail, ok, type Result } from '../../../src/base/index.ts'
import { type Instance, type Release, type ServiceDefinition } from '../../../src/contract/index.ts'
import type {
  EnsureRequest,
  TargetLogLine,
  RemoveRequest,
  Target,
  TargetReport,
} from '../../../src/engine/platforms/index.ts'
import type { Wire } from './faults.ts'

/** How a release behaves wherever it runs. */
export interface Behaviour {
  /** Seconds until an instance is healthy; null: never. */
  readyAfterS: number | null
  errorRatio: number
  latencySlot: number
  /** Takes requests and ends none. */
  hangs: boolean
  /** How long a response streams after it has begun, in seconds. */
  streamsForS: number
  /** Share of requests that are answered only after their clients have left, 0 to 1. */
  abandonedRatio: number
  /** An instance exits, with code 1, each time it has run for this many seconds; null: never. */
  exitsEveryS: number | null
  /** Share of requests that the stable release has to answer in its place, 0 to 1. */
  divertedRatio: number
  /** Instances are dead from this many seconds after their start on; null: never. */
  diesAfterS: number | null
}

export const wellBehaved: Behaviour = {
  readyAfterS: 2,
  errorRatio: 0.001,
  latencySlot: 58,
  hangs: false,
  streamsForS: 0,
  abandonedRatio: 0,
  exitsEveryS: null,
  divertedRatio: 0,
  diesAfterS: null,
}

interface Run {
  release: Release
  instances: { id: string; number: number; ageS: number; drainS: number | null; restarts: number }[]
  wanted: number
  askedBy: string
}

/** Runs instances by the second. Lives on when engines die. */
export class SimTarget {
  readonly behaviours = new Map<string, Behaviour>()
  readonly #runs = new Map<string, Run>()
  readonly #crashes = new Map<string, number>()
  #started = 0
  /** Of requests that were done: each is done once. */
  readonly #keys = new Set<string>()
  /** Told of each removal, to hold it against what the router does. */
  onRemove: (releaseId: string) => void = () => undefined

  behaviour(releaseId: string): Behaviour {
    return this.behaviours.get(releaseId) ?? wellBehaved
  }

  /** Loses its state, and with it what ran. */
  forget(): void {
    this.#runs.clear()
    this.#keys.clear()
  }

  /** As one engine reaches it. */
  behind(wire: Wire): Target {
    return {
      declare: (definition: ServiceDefinition) =>
        wire.call('target', `target.declare ${definition.name}`, () => ok(undefined)),
      withdraw: () => Promise.reject(new Error('no service is withdrawn here')),
      restart: () => Promise.reject(new Error('no instance is restarted here')),
      ensure: (request) =>
        wire.call('target', `target.ensure ${request.release.id} ${request.instances}`, () =>
          this.ensure(request),
        ),
      observe: () => wire.call('target', 'target.observe', () => ok(this.report())),
      remove: (request) =>
        wire.call('target', `target.remove ${request.releaseId}`, () => this.remove(request)),
      logs: ({ releaseId = '' }) =>
        wire.call<TargetLogLine[]>('target', 'target.logs', () =>
          ok([
            {
              atMs: 0,
              instanceId: `${releaseId}-0`,
              releaseId,
              stream: 'stderr',
              text: `Error: ${releaseId} cannot connect`,
            },
          ]),
        ),
    }
  }

  ensure({ release, instances, key }: EnsureRequest): Result<void> {
    if (this.#keys.has(key)) return ok(undefined)
    this.#keys.add(key)
    const run = this.#runs.get(release.id) ?? { release, instances: [], wanted: 0, askedBy: '' }
    run.wanted = instances
    run.askedBy = key
    this.#runs.set(release.id, run)
    this.#fill(run)
    return ok(undefined)
  }

  remove({ releaseId, askedBy }: RemoveRequest): Result<void> {
    const run = this.#runs.get(releaseId)
    if (!run || (askedBy !== undefined && askedBy !== run.askedBy)) return ok(undefined)
    this.onRemove(releaseId)
    run.wanted = 0
    for (const instance of run.instances) instance.drainS ??= 2
    return ok(undefined)
  }

  /** All instances of a release are killed and start anew. */
  crash(releaseId: string): void {
    const run = this.#runs.get(releaseId)
    for (const instance of run?.instances ?? []) instance.ageS = 0
  }

  /** Releases of which instances have crashed since the last `takeCrashes`. */
  get crashed(): string[] {
    return [...this.#crashes.keys()]
  }

  /** Crashes of a release's instances since the last call. */
  takeCrashes(releaseId: string): number {
    const count = this.#crashes.get(releaseId) ?? 0
    this.#crashes.delete(releaseId)
    return count
  }

  second(): void {
    for (const [releaseId, run] of this.#runs) {
      for (const instance of run.instances) {
        instance.ageS += 1
        if (instance.drainS !== null) instance.drainS -= 1
        const { exitsEveryS } = this.behaviour(releaseId)
        if (exitsEveryS !== null && instance.ageS >= exitsEveryS) {
          instance.ageS = 0
          instance.restarts += 1
          this.#crashes.set(releaseId, (this.#crashes.get(releaseId) ?? 0) + 1)
        }
      }
      run.instances = run.instances.filter(({ drainS }) => drainS === null || drainS > 0)
      this.#fill(run)
      if (run.wanted === 0 && run.instances.length === 0) this.#runs.delete(releaseId)
    }
  }

  report(): TargetReport {
    const instances = [...this.#runs].flatMap(([releaseId, run]) =>
      run.instances.map(({ id, number, ageS, drainS, restarts }): Instance => {
        const state = this.#state(releaseId, ageS, drainS)
        return {
          id,
          releaseId,
          state,
          reason:
            state === 'unhealthy'
              ? 'its health check fails'
              : state === 'starting'
                ? 'its health check failed: ECONNREFUSED'
                : '',
          address: { kind: 'process', port: number, pid: 1 },
          startedAtMs: 0,
          restartCount: restarts,
          lastRestart: restarts > 0 ? { atMs: 0, reason: 'exited with code 1' } : null,
          inFlight: 0,
          memoryBytes: null,
        }
      }),
    )
    const wanted = Object.fromEntries(
      [...this.#runs].filter(([, run]) => run.wanted > 0).map(([id, run]) => [id, run.wanted]),
    )
    const askedBy = Object.fromEntries(
      [...this.#runs].filter(([, run]) => run.wanted > 0).map(([id, run]) => [id, run.askedBy]),
    )
    return { instances, wanted, askedBy }
  }

  healthyCount(releaseId: string): number {
    return (
      this.#runs
        .get(releaseId)
        ?.instances.filter(({ ageS, drainS }) => this.#state(releaseId, ageS, drainS) === 'healthy').length ??
      0
    )
  }

  #state(releaseId: string, ageS: number, drainS: number | null): Instance['state'] {
    if (drainS !== null) return 'draining'
    const { readyAfterS, diesAfterS } = this.behaviour(releaseId)
    if (diesAfterS !== null && ageS >= diesAfterS) return 'unhealthy'
    return readyAfterS !== null && ageS >= readyAfterS ? 'healthy' : 'starting'
  }

  #fill(run: Run): void {
    const kept = run.instances.filter(({ drainS }) => drainS === null)
    for (let i = kept.length; i < run.wanted; i++) {
      const number = this.#started++
      const id = `${run.release.id}-${number}`
      run.instances.push({ id, number, ageS: 0, drainS: null, restarts: 0 })
    }
    for (const instance of kept.slice(run.wanted)) instance.drainS = 2
  }
}

export const notFound = <T>(text: string): Result<T> => fail(new AppError('NOT_FOUND', text))
