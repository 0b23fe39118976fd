/**
 * A double of the `electron` module: the part of its API that the shell uses, so that the real main process, preload
 * and engine process run in Node with windows as pages of a real Chromium.
 *
 * What it cannot show: Chromium as Electron builds and patches it, the sandbox of its processes, context isolation
 * (the preload runs in the page's own world here), the real scheme, fuses, and everything of the operating system
 * (panel, notifications, keychain, displays). A result obtained here is one on the double, never one on Electron.
 */
export { app } from './app.ts'
export { dialog, Menu, MenuItem, nativeImage, Notification, observed, screen, shell, Tray } from './native.ts'
export { MessageChannelMain } from './ports.ts'
export { protocol, session } from './session.ts'
export { utilityProcess } from './utility-process.ts'
export { BrowserWindow, invokeFrom, ipcMain } from './windows.ts'
