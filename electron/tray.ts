import { Menu, Tray, type MenuItemConstructorOptions } from 'electron'
import type { Severity } from '../src/contract/index.ts'
import { wayText, type WayBack } from './emergency.ts'
import { trayIcon } from './icons.ts'
import type { Standing } from './watch-state.ts'

export interface TrayActions {
  show: (path?: string) => void
  rollBack: (ways: readonly WayBack[]) => void
  quit: () => void
}

/** The mark in the system's panel: its shape is the worst state there is, its menu says it in words. */
export class StatusTray {
  #tray: Tray
  #actions: TrayActions
  #shown: Severity = 'stale'
  #menu = ''

  constructor(actions: TrayActions) {
    this.#actions = actions
    this.#tray = new Tray(trayIcon('stale', process.platform))
    this.#tray.on('click', () => actions.show())
    this.update({ severity: 'stale', count: 0, sentence: 'the engine is starting' }, [])
  }

  /** `ways` are those that an emergency rollback can take now. */
  update({ severity, sentence }: Standing, ways: readonly WayBack[]): void {
    if (severity !== this.#shown) this.#tray.setImage(trayIcon(severity, process.platform))
    this.#shown = severity
    // A menu that is made anew closes under the hand that is in it.
    const menu = JSON.stringify([severity, sentence, ways])
    if (menu === this.#menu) return
    this.#menu = menu
    this.#tray.setToolTip(`Pilothouse, ${words[severity]}: ${sentence}`)
    this.#tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: `${capital(words[severity])}: ${sentence}`, enabled: false },
        { type: 'separator' },
        { label: 'Show Pilothouse', click: () => this.#actions.show() },
        { label: 'Overview', click: () => this.#actions.show('/overview') },
        { type: 'separator' },
        ...this.#rollbackItems(ways),
        { type: 'separator' },
        { label: 'Quit Pilothouse', click: () => this.#actions.quit() },
      ]),
    )
  }

  #rollbackItems(ways: readonly WayBack[]): MenuItemConstructorOptions[] {
    if (ways.length === 0) return [{ label: 'Emergency rollback: nothing is in canary', enabled: false }]
    const item = (label: string, of: readonly WayBack[]): MenuItemConstructorOptions => ({
      label,
      click: () => this.#actions.rollBack(of),
    })
    const all = ways.length > 1 ? [item(`All ${ways.length} services…`, ways)] : []
    const each = ways.map((way) => item(`${wayText(way)}…`, [way]))
    return [{ label: 'Emergency rollback', submenu: [...all, ...each] }]
  }
}

const words: Record<Severity, string> = {
  ok: 'all well',
  warning: 'warning',
  critical: 'critical',
  stale: 'no live data',
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
