import type { MenuItemConstructorOptions } from 'electron'

export interface MenuActions {
  newWindow: () => void
  show: (path: string) => void
  /** Left out while no source of updates is configured. */
  checkForUpdates?: () => void
}

/** The app's menu. Screens have the same entries in their palette; here they show what the keyboard can do. */
export function menuTemplate(
  platform: NodeJS.Platform,
  isPackaged: boolean,
  actions: MenuActions,
): MenuItemConstructorOptions[] {
  const { checkForUpdates } = actions
  const updates: MenuItemConstructorOptions[] = checkForUpdates
    ? [{ label: 'Check for Updates', click: () => checkForUpdates() }]
    : []
  const appMenu: MenuItemConstructorOptions = {
    role: 'appMenu',
    submenu: [
      { role: 'about' },
      ...updates,
      { type: 'separator' },
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      { type: 'separator' },
      { role: 'quit' },
    ],
  }
  const helpMenu: MenuItemConstructorOptions = { role: 'help', submenu: [...updates, { role: 'about' }] }
  const isMac = platform === 'darwin'
  return [
    ...(isMac ? [appMenu] : []),
    {
      label: '&File',
      submenu: [
        { label: 'New Window', accelerator: 'CmdOrCtrl+N', click: () => actions.newWindow() },
        { type: 'separator' },
        isMac ? { role: 'close' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        { label: 'Overview', accelerator: 'CmdOrCtrl+1', click: () => actions.show('/overview') },
        { label: 'This Machine', accelerator: 'CmdOrCtrl+2', click: () => actions.show('/host/local') },
        { label: 'Settings', accelerator: 'CmdOrCtrl+,', click: () => actions.show('/settings') },
        { type: 'separator' },
        { role: 'reload' },
        ...(isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
    ...(isMac ? [] : [helpMenu]),
  ]
}
