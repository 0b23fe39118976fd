import '@fontsource-variable/inter/wght.css'
import '@fontsource/jetbrains-mono/400.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { CommandRegistry } from './commands/index.ts'
import { desktopApi } from './connection/desktop.ts'
import { openPortChannels } from './connection/port-channels.ts'
import { openWebsocketChannels } from './connection/websocket-channels.ts'
import { Router } from './routing/index.ts'
import { EngineLink } from './state/engine-link.svelte.ts'
import { Fleet } from './state/fleet.svelte.ts'
import { PageClock } from './state/page-clock.svelte.ts'
import { SampleHub } from './state/sample-hub.ts'
import { Standing } from './state/standing.svelte.ts'
import { Theme } from './state/theme.svelte.ts'
import './style/index.css'

const theme = new Theme()
const router = new Router(window)
const clock = new PageClock()
const desktop = desktopApi()
const link = new EngineLink(() =>
  desktop ? openPortChannels(desktop) : openWebsocketChannels(location.origin),
)
const hub = new SampleHub(link.samples, {
  isHidden: () => document.hidden,
  onChange: (listener) => {
    document.addEventListener('visibilitychange', listener)
    return () => document.removeEventListener('visibilitychange', listener)
  },
})
const standing = new Standing(link, router, clock)
const fleet = new Fleet(link)
link.start()
desktop?.onNavigate((address) => router.go(address))
desktop?.onEngineState(({ kind }) => {
  // Once the channels have heard of it, too: who asks anew learns at once how the engine is, or finds it.
  if (kind !== 'stopped') setTimeout(() => link.retryNow())
})

const target = document.getElementById('app')
if (target) {
  const app = { link, hub, router, theme, clock, commands: new CommandRegistry(), standing, fleet }
  mount(App, { target, props: { app } })
}
