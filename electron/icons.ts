import { nativeImage, type NativeImage } from 'electron'
import type { Severity } from '../src/contract/index.ts'

/** Drawn by build/icons/draw.ts; part of the program, so no path can go wrong. */
const files = import.meta.glob<string>('../build/icons/tray/*.png', {
  query: '?inline',
  import: 'default',
  eager: true,
})

const fileOf = (severity: Severity, size: number): string => {
  const file = files[`../build/icons/tray/${severity}-${size}.png`]
  if (!file) throw new Error(`there is no icon ${severity} of ${size} pixels`)
  return file
}

/** The mark of a severity, in the panel's size and twice that for dense screens. */
export function trayIcon(severity: Severity, platform: NodeJS.Platform): NativeImage {
  const size = platform === 'linux' ? 24 : 16
  const image = nativeImage.createFromDataURL(fileOf(severity, size))
  image.addRepresentation({ scaleFactor: 2, dataURL: fileOf(severity, size * 2) })
  // macOS colours menu bar icons itself; the shape stays.
  if (platform === 'darwin') image.setTemplateImage(true)
  return image
}
