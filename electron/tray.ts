import { Menu, Tray } from 'electron'
import type { Severity } from '../src/contract/index.ts'
import { trayIcon } from './icons.ts'
import type { Standing } from './watch-state.ts'

export interface TrayActions {
  show: (path?: string) => void
  quit: () => void
}

/** The mark in the system's panel: its shape is the worst state there is, its menu says it in words. */
export class StatusTray {
  #tray: Tray
  #actions: TrayActions
  #shown: Severity = 'stale'

  constructor(actions: TrayActions) {
    this.#actions = actions
    this.#tray = new Tray(trayIcon('stale', process.platform))
    this.#tray.on('click', () => actions.show())
    this.update({ severity: 'stale', count: 0, sentence: 'the engine is starting' })
  }

  update({ severity, sentence }: Standing): void {
    if (severity !== this.#shown) this.#tray.setImage(trayIcon(severity, process.platform))
    this.#shown = severity
    this.#tray.setToolTip(`Pilothouse, ${words[severity]}: ${sentence}`)
    this.#tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: `${capital(words[severity])}: ${sentence}`, enabled: false },
        { type: 'separator' },
        { label: 'Show Pilothouse', click: () => this.#actions.show() },
        { label: 'Overview', click: () => this.#actions.show('/overview') },
        { type: 'separator' },
        { label: 'Quit Pilothouse', click: () => this.#actions.quit() },
      ]),
    )
  }
}

const words: Record<Severity, string> = {
  ok: 'all well',
  warning: 'warning',
  critical: 'critical',
  stale: 'no live data',
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
