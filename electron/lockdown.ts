import { app, type Session, type WebContents } from 'electron'
import { isAppUrl } from './app-scheme-path.ts'
import { openOutside } from './external-links.ts'

const grantedPermissions = new Set(['notifications', 'clipboard-sanitized-write'])

/** Denies every page what this app does not need, whichever way the page came to be. Call before any window opens. */
export function lockDownPages(): void {
  app.on('web-contents-created', (_event, contents) => lockDown(contents))
}

function lockDown(contents: WebContents): void {
  // Sent for every frame, the main one included.
  contents.on('will-frame-navigate', (details) => {
    if (!details.isMainFrame || !isAppUrl(details.url)) details.preventDefault()
  })
  contents.on('will-redirect', (details) => details.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(({ url }) => {
    openOutside(url)
    return { action: 'deny' }
  })
}

/** Denies permissions but notifications and writing to the clipboard, and those to our own page only. */
export function denyPermissions(session: Session): void {
  const isGranted = (permission: string, url: string | undefined) =>
    grantedPermissions.has(permission) && url !== undefined && isAppUrl(url)
  session.setPermissionRequestHandler((_contents, permission, answer, details) =>
    answer(isGranted(permission, details.requestingUrl)),
  )
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin) =>
    isGranted(permission, requestingOrigin),
  )
  session.setDevicePermissionHandler(() => false)
}
