import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron'
import {
  desktopApiName,
  desktopChannels,
  enginePortsMessage,
  type ConnectAnswer,
  type DesktopApi,
} from '../src/contract/index.ts'

// Ports cannot cross the bridge as values; a message to the window's own origin carries them into the page's world.
ipcRenderer.on(desktopChannels.enginePorts, (event, request: number) => {
  window.postMessage({ kind: enginePortsMessage, request }, '/', [...event.ports])
})

function subscribe<Value>(channel: string, listener: (value: Value) => void): () => void {
  const receive = (_event: IpcRendererEvent, value: Value) => listener(value)
  ipcRenderer.on(channel, receive)
  return () => void ipcRenderer.removeListener(channel, receive)
}

const api: DesktopApi = {
  connectEngine: async () => {
    const answer = (await ipcRenderer.invoke(desktopChannels.connectEngine)) as ConnectAnswer
    if (!answer.ok) throw new Error(answer.reason)
    return answer.request
  },
  onEngineState: (listener) => subscribe(desktopChannels.engineState, listener),
  onNavigate: (listener) => subscribe(desktopChannels.navigate, listener),
}

contextBridge.exposeInMainWorld(desktopApiName, api)
