import '@fontsource-variable/inter/wght.css'
import '@fontsource/jetbrains-mono/400.css'
import { mount } from 'svelte'
import { launchTokenIn } from '../contract/index.ts'
import { CommandRegistry } from './commands/index.ts'
import { BrowserSession } from './connection/browser-session.svelte.ts'
import { desktopApi } from './connection/desktop.ts'
import { openPortChannels } from './connection/port-channels.ts'
import { openWebsocketChannels } from './connection/websocket-channels.ts'
import Root from './Root.svelte'
import { ViewRouter } from './routing/index.ts'
import { EngineLink } from './state/engine-link.svelte.ts'
import { LiveServices } from './state/live-services.svelte.ts'
import { PageClock } from './state/page-clock.svelte.ts'
import { SampleHub } from './state/sample-hub.ts'
import { Standing } from './state/standing.svelte.ts'
import { Theme } from './state/theme.svelte.ts'
import { TimeZone } from './state/time-zone.svelte.ts'
import './style/index.css'

const theme = new Theme()
const clock = new PageClock()
const desktop = desktopApi()
const session = desktop ? undefined : new BrowserSession(window)
// Before anything reads the address: it may hold a launch token, which nothing else is to see.
const signedIn = session?.start()
const router = new ViewRouter(window)
const link = new EngineLink(async () => {
  if (desktop) return openPortChannels(desktop)
  if (!session) throw new Error('there is neither a desktop shell nor a server')
  await signedIn
  return openWebsocketChannels(location.origin, session)
})
const hub = new SampleHub(link.samples, {
  isHidden: () => document.hidden,
  onChange: (listener) => {
    document.addEventListener('visibilitychange', listener)
    return () => document.removeEventListener('visibilitychange', listener)
  },
})
const timeZone = new TimeZone(() => link.records.engine?.timeZone ?? 'local')
const standing = new Standing(link, router, clock)
const liveServices = new LiveServices(link)
link.start()
// A launch address that is put into this tab changes its fragment alone, which loads no page.
window.addEventListener('hashchange', () => {
  if (session && launchTokenIn(location.hash) !== null) void session.start().then(() => link.retryNow())
})
desktop?.onNavigate((address) => router.go(address))
desktop?.onEngineState(({ kind }) => {
  // Once the channels have heard of it, too: who asks anew learns at once how the engine is, or finds it.
  if (kind !== 'stopped') setTimeout(() => link.retryNow())
})

const target = document.getElementById('app')
if (target) {
  const app = {
    link,
    hub,
    router,
    theme,
    timeZone,
    clock,
    commands: new CommandRegistry(),
    standing,
    liveServices,
  }
  mount(Root, { target, props: { app, session } })
}
