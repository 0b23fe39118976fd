// Draws every icon of the desktop app from its geometry: node build/icons/draw.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { icns, ico, draw, png, type Layer } from './image-files.ts'
import { diamond, disc, grown, polygon, ring, roundedSquare, stroke, union, type Shape } from './shapes.ts'

const here = new URL('./', import.meta.url)

/** The marks of the screens. A panel may be dark or light: a dark rim keeps each readable on both. */
const rim = 0x10161d
const trayMarks: Record<string, { shape: Shape; color: number }> = {
  ok: { shape: disc(0.62), color: 0x4cc38a },
  warning: {
    shape: polygon([
      [0, -0.76],
      [0.86, 0.7],
      [-0.86, 0.7],
    ]),
    color: 0xf5b83d,
  },
  critical: { shape: diamond(0.86), color: 0xff6369 },
  stale: { shape: dashedSquare(), color: 0xa0aab4 },
}

/** Four corners, open sides. */
function dashedSquare(): Shape {
  const [outer, length, width] = [0.64, 0.34, 0.24]
  const corners = [-1, 1].flatMap((sx) => [-1, 1].map((sy) => [sx * outer, sy * outer] as const))
  return union(
    ...corners.flatMap(([x, y]) => [
      stroke(x, y, x - Math.sign(x) * length, y, width),
      stroke(x, y, x, y - Math.sign(y) * length, width),
    ]),
  )
}

/** A ship's wheel, as in the favicon. */
function wheel(): Layer[] {
  const spokes = Array.from({ length: 8 }, (_, index) => {
    const [x, y] = [Math.cos((index * Math.PI) / 4), Math.sin((index * Math.PI) / 4)]
    return stroke(x * 0.36, y * 0.36, x * 0.66, y * 0.66, 0.12)
  })
  return [
    { shape: roundedSquare(0.94, 0.42), color: 0x10161d },
    { shape: union(ring(0.36, 0.12), disc(0.1), ...spokes), color: 0x62c3ff },
  ]
}

function write(name: string, file: Buffer): void {
  writeFileSync(new URL(name, here), file)
}

mkdirSync(new URL('tray/', here), { recursive: true })
mkdirSync(new URL('linux/', here), { recursive: true })

for (const [state, { shape, color }] of Object.entries(trayMarks)) {
  for (const size of [16, 24, 32, 48]) {
    const layers = [
      { shape: grown(shape, 0.09), color: rim },
      { shape, color },
    ]
    write(`tray/${state}-${size}.png`, png(size, draw(size, layers)))
  }
}

const app = (size: number): Buffer => png(size, draw(size, wheel()))
for (const size of [16, 32, 48, 64, 128, 256, 512]) write(`linux/${size}x${size}.png`, app(size))
write('app.ico', ico([16, 32, 48, 64, 128, 256].map((size) => ({ size, file: app(size) }))))
write(
  'app.icns',
  icns(
    Object.entries({ icp4: 16, icp5: 32, icp6: 64, ic07: 128, ic08: 256, ic09: 512, ic10: 1024 }).map(
      ([type, size]) => ({ type, file: app(size) }),
    ),
  ),
)
