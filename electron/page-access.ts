import { ipcMain, type IpcMainInvokeEvent } from 'electron'
import { desktopChannels, type ConnectAnswer } from '../src/contract/index.ts'
import { isAppUrl } from './app-scheme-path.ts'
import { absenceOf, type EngineProcess } from './engine-process.ts'
import type { Windows } from './windows.ts'

/** Answers what the preload asks for; a sender that is not the main frame of one of our windows gets an error. */
export function answerPages(windows: Windows, engine: EngineProcess): void {
  let request = 0
  ipcMain.handle(desktopChannels.connectEngine, (event): ConnectAnswer => {
    const frame = trustedFrame(event, windows)
    const ports = engine.connect('desktop')
    if (!ports) return { ok: false, reason: absenceOf(engine.state) }
    request += 1
    frame.postMessage(desktopChannels.enginePorts, request, [ports.live, ports.calls])
    return { ok: true, request }
  })
}

function trustedFrame(event: IpcMainInvokeEvent, windows: Windows) {
  const frame = event.senderFrame
  const isOurs = frame !== null && frame.parent === null && isAppUrl(frame.url) && windows.has(event.sender)
  if (!isOurs) throw new Error('this sender is not a window of Pilothouse')
  return frame
}
