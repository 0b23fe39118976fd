import { app } from 'electron'
import { trayIcon } from './icons.ts'
import type { EngineStanding } from './watch-state.ts'
import type { Windows } from './windows.ts'

/** How many things need a person: a number on the app's icon, on Windows a mark on the window's button. */
export function showBadge({ count, severity, sentence }: EngineStanding, windows: Windows): void {
  if (process.platform === 'win32') {
    windows.setOverlay(count > 0 ? trayIcon(severity, 'win32') : null, count > 0 ? sentence : '')
  } else {
    app.setBadgeCount(count)
  }
}
