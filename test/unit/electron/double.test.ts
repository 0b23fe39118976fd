import type * as Electron from 'electron'
import { describe, expect, it } from 'vitest'
import * as double from '../../support/electron/index.ts'

/** What tests read and do beside Electron's API. */
const ownNames = ['invokeFrom', 'observed'] as const

type Offered = Exclude<keyof typeof double, (typeof ownNames)[number]>
/** Compiles only while each name the double offers is one of Electron's. */
const offered: Record<Offered & keyof typeof Electron, true> = {
  app: true,
  BrowserWindow: true,
  dialog: true,
  ipcMain: true,
  Menu: true,
  MenuItem: true,
  MessageChannelMain: true,
  nativeImage: true,
  Notification: true,
  protocol: true,
  screen: true,
  session: true,
  shell: true,
  Tray: true,
  utilityProcess: true,
} satisfies Record<Offered, true>

describe('the double of Electron', () => {
  it("offers names of Electron's own API, and two of its own for tests", () => {
    expect(Object.keys(double).sort()).toEqual([...Object.keys(offered), ...ownNames].sort())
  })

  it('refuses, as Electron does, what comes before the app is ready', () => {
    const image = double.nativeImage.createFromDataURL('data:image/png;base64,iVBORw0KGgo=')
    expect(() => new double.BrowserWindow()).toThrow('before app is ready')
    expect(() => new double.Tray(image)).toThrow('before app is ready')
    expect(() => double.protocol.handle('x', () => new Response())).toThrow('when the app is ready')
  })
})
