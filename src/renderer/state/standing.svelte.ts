import { recordsOf, type Host, type HostState } from '../../contract/index.ts'
import type { ViewRouter } from '../routing/index.ts'
import type { EngineLink } from './engine-link.svelte.ts'
import { livenessOf, type Liveness } from './liveness.ts'
import type { PageClock } from './page-clock.svelte.ts'
import { keepIfSame } from './keep-if-same.ts'

/** A host as the records tell of it. */
export interface HostView {
  host: Host
  /** Missing for a moment at the beginning. */
  state: HostState | undefined
}

/** What stands on screen and how far it can be trusted, derived from the records and the time. */
export class Standing {
  #link: EngineLink
  #router: ViewRouter
  #clock: PageClock

  constructor(link: EngineLink, router: ViewRouter, clock: PageClock) {
    this.#link = link
    this.#router = router
    this.#clock = clock
  }

  #hosts = $derived.by(keepIfSame(() => hostViews(this.#link.records), isSameView))
  #liveness = $derived.by<Liveness>(() =>
    livenessOf({
      connection: this.#link.connection,
      nowMs: Math.max(this.#clock.nowMs, this.#link.lastHeardMs),
      lastHeardMs: this.#link.lastHeardMs,
      clockOffsetMs: this.#link.clockOffsetMs,
      lastSampleMs: this.#link.records.health?.newestSampleMs ?? null,
      isPaused: this.#router.isPaused,
    }),
  )

  #isCurrent = $derived(this.#liveness.kind === 'live' || this.#liveness.kind === 'paused')
  #engineCoarseMs = $derived(Math.floor(this.engineNowMs / coarseMs) * coarseMs)

  /** This machine first, the others by name. */
  get hosts(): HostView[] {
    return this.#hosts
  }
  get liveness(): Liveness {
    return this.#liveness
  }
  /** Figures may be read as the present. */
  get isCurrent(): boolean {
    return this.#isCurrent
  }
  /** Engine's time up to which what is shown holds: it stands still while nothing new comes. */
  get shownUntilMs(): number {
    return this.isCurrent ? this.engineNowMs : this.#link.lastHeardMs + this.#link.clockOffsetMs
  }
  /** The engine's time in steps of 10 s, for long lists of ages: they need not all be written anew each second. */
  get engineCoarseMs(): number {
    return this.#engineCoarseMs
  }
  /** The engine's time, milliseconds. */
  get engineNowMs(): number {
    return this.#clock.nowMs + this.#link.clockOffsetMs
  }
}

const coarseMs = 10_000

const isSameView = (a: HostView, b: HostView) => a.host === b.host && a.state === b.state

function hostViews(records: EngineLink['records']): HostView[] {
  const views = recordsOf(records, 'host').map((host) => ({ host, state: records[`hostState:${host.id}`] }))
  const rank = ({ host }: HostView) => (host.id === 'local' ? 0 : 1)
  return views.sort((a, b) => rank(a) - rank(b) || a.host.name.localeCompare(b.host.name))
}
