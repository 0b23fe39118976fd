import { Menu, Tray, type MenuItemConstructorOptions } from 'electron'
import { isEmergencyWay, type ServiceWayBack, type Severity } from '../src/contract/index.ts'
import { wayText } from './emergency.ts'
import { trayIcon } from './icons.ts'
import type { EngineStanding } from './watch-state.ts'

export interface TrayActions {
  show: (path?: string) => void
  rollBack: (ways: readonly ServiceWayBack[]) => void
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

  /** `ways` are what the engine offers to roll back. */
  update({ severity, sentence }: EngineStanding, ways: readonly ServiceWayBack[]): void {
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

  #rollbackItems(ways: readonly ServiceWayBack[]): MenuItemConstructorOptions[] {
    return rollbackMenu(ways, (chosen) => this.#actions.rollBack(chosen))
  }
}

/** The part of the menu that takes releases back: what goes at once, then what has to start instances. */
export function rollbackMenu(
  ways: readonly ServiceWayBack[],
  rollBack: (ways: readonly ServiceWayBack[]) => void,
): MenuItemConstructorOptions[] {
  const item = (label: string, of: readonly ServiceWayBack[]): MenuItemConstructorOptions => ({
    label,
    click: () => rollBack(of),
  })
  const each = (of: readonly ServiceWayBack[]) => of.map((way) => item(`${wayText(way)}…`, [way]))
  const atOnce = ways.filter(isEmergencyWay)
  const undos = ways.filter((way) => !isEmergencyWay(way))
  const all = atOnce.length > 1 ? [item(`All ${atOnce.length} services…`, atOnce)] : []
  return [
    atOnce.length > 0
      ? { label: 'Emergency rollback', submenu: [...all, ...each(atOnce)] }
      : { label: 'Emergency rollback: nothing to roll back', enabled: false },
    ...(undos.length > 0 ? [{ label: 'Undo a promotion', submenu: each(undos) }] : []),
  ]
}

const words: Record<Severity, string> = {
  ok: 'healthy',
  warning: 'warning',
  critical: 'critical',
  stale: 'no live data',
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
