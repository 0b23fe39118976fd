import { mount } from 'svelte'
import App from './App.svelte'
import { openWebsocketChannels } from './connection/websocket-channels.ts'
import { EngineLink } from './state/engine-link.svelte.ts'

const link = new EngineLink(() => openWebsocketChannels(location.origin))
link.start()

const target = document.getElementById('app')
if (target) mount(App, { target, props: { link } })
