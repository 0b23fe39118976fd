import { createContext } from 'svelte'
import type { CommandRegistry } from '../commands/index.ts'
import type { ViewRouter } from '../routing/index.ts'
import type { EngineLink } from './engine-link.svelte.ts'
import type { LiveServices } from './live-services.svelte.ts'
import type { PageClock } from './page-clock.svelte.ts'
import type { SampleHub } from './sample-hub.ts'
import type { Standing } from './standing.svelte.ts'
import type { Theme } from './theme.svelte.ts'
import type { TimeZone } from './time-zone.svelte.ts'

/** What every part of the page may use. One for the whole page. */
export interface App {
  link: EngineLink
  hub: SampleHub
  router: ViewRouter
  theme: Theme
  timeZone: TimeZone
  clock: PageClock
  commands: CommandRegistry
  standing: Standing
  liveServices: LiveServices
}

export const [useApp, provideApp] = createContext<App>()
