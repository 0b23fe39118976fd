import { Menu, type MenuItem } from 'electron'
import { describe, expect, it } from 'vitest'
import { menuTemplate, type MenuActions } from '../../../electron/menu.ts'
import { isViewPath } from '../../../src/contract/index.ts'

const itemsOf = (menu: Menu | undefined): MenuItem[] =>
  (menu?.items ?? []).flatMap((item) => [item, ...itemsOf(item.submenu)])

function build(platform: NodeJS.Platform, isPackaged = true, more: Partial<MenuActions> = {}) {
  const chosen: string[] = []
  const actions = {
    newWindow: () => chosen.push('window'),
    show: (path: string) => chosen.push(path),
    ...more,
  }
  const items = itemsOf(Menu.buildFromTemplate(menuTemplate(platform, isPackaged, actions)))
  return { items, chosen, labels: items.map(({ label, role }) => label || role) }
}

describe.each(['linux', 'darwin', 'win32'] as const)('the menu on %s', (platform) => {
  it('opens windows and screens that exist', () => {
    const { items, chosen } = build(platform)
    for (const label of ['New Window', 'Overview', 'This Machine', 'Settings']) {
      items.find((item) => item.label === label)?.click()
    }
    expect(chosen).toEqual(['window', '/overview', '/host/local', '/settings'])
    expect(chosen.slice(1).filter((path) => !isViewPath(path))).toEqual([])
  })

  it('has a way to quit, and uses no key twice', () => {
    const { items } = build(platform)
    expect(items.filter(({ role }) => role === 'quit')).toHaveLength(1)
    const keys = items.flatMap(({ accelerator }) => accelerator ?? [])
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('offers developer tools from a checkout only', () => {
    expect(build(platform, true).labels).not.toContain('toggleDevTools')
    expect(build(platform, false).labels).toContain('toggleDevTools')
  })

  it('looks for updates only where there is a source of them', () => {
    expect(build(platform).labels).not.toContain('Check for Updates')
    let checkCount = 0
    const { items } = build(platform, true, { checkForUpdates: () => (checkCount += 1) })
    items.find(({ label }) => label === 'Check for Updates')?.click()
    expect(checkCount).toBe(1)
  })
})
