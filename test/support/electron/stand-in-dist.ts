import { createPackage } from '@electron/asar'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The marker in Electron's binary before its fuses: version, count, then one character a fuse. */
const fuseMarker = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
/** As Electron ships them, in the order of its documentation: 1 is on, 0 is off. */
const shippedFuses = '101100010'

/**
 * A folder in the form of Electron's own distribution for Linux, for the packager: it holds no Electron, only the
 * names of its files and a binary whose fuses can be flipped and read.
 */
export async function makeStandInDist(folder: string): Promise<void> {
  mkdirSync(join(folder, 'resources'), { recursive: true })
  mkdirSync(join(folder, 'locales'))
  const fuses = Buffer.concat([
    Buffer.from(fuseMarker),
    Buffer.from([1, shippedFuses.length]),
    Buffer.from(shippedFuses),
  ])
  const binary = Buffer.concat([Buffer.alloc(4096, 1), fuses, Buffer.alloc(4096, 1)])
  writeFileSync(join(folder, 'electron'), binary, { mode: 0o755 })
  for (const name of ['LICENSE', 'LICENSES.chromium.html', 'version', 'chrome-sandbox']) {
    writeFileSync(join(folder, name), '')
  }
  for (const name of ['en-US.pak', 'de.pak']) writeFileSync(join(folder, 'locales', name), '')
  const nothing = join(folder, 'nothing')
  mkdirSync(nothing)
  await createPackage(nothing, join(folder, 'resources', 'default_app.asar'))
}
