import { app, Notification } from 'electron'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const firstCheckAfterMs = 60_000
const checkEveryMs = 6 * 60 * 60 * 1000

/** The file electron-builder puts into a package that has a place to get updates from. */
const feedFile = 'app-update.yml'

/** Updates are off until the package names their source, and always off when run from a checkout. */
export const hasUpdateSource = (isPackaged: boolean, resources: string): boolean =>
  isPackaged && existsSync(join(resources, feedFile))

/**
 * Looks for updates now and then. A new version is downloaded and installed when the person quits, never before: a
 * tool that is on watch does not restart itself. Gives the function that looks at once.
 */
export async function startUpdates(log: (message: string) => void): Promise<() => void> {
  const { default: updater } = await import('electron-updater')
  const { autoUpdater } = updater
  autoUpdater.autoDownload = true
  autoUpdater.autoInstallOnAppQuit = true
  autoUpdater.allowDowngrade = false
  autoUpdater.logger = null
  autoUpdater.on('error', (failure) => log(`updates: ${failure.message}`))
  autoUpdater.on('update-downloaded', ({ version }) => {
    const body = `Version ${version} is ready. It is installed when you quit ${app.name}.`
    if (Notification.isSupported()) new Notification({ title: 'Pilothouse', body, silent: true }).show()
  })
  // Failures arrive as events.
  const check = () => void autoUpdater.checkForUpdates().catch(() => undefined)
  setTimeout(check, firstCheckAfterMs)
  setInterval(check, checkEveryMs)
  return check
}
