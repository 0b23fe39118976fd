import { crc32, deflateSync } from 'node:zlib'
import type { Shape } from './shapes.ts'

/** 0xrrggbb. */
export interface Layer {
  shape: Shape
  color: number
}

const subPixels = 4

/** Draws layers one over the other on a transparent square; RGBA, row by row. */
export function draw(size: number, layers: readonly Layer[]): Uint8Array {
  const pixels = new Uint8Array(size * size * 4)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let [red, green, blue, alpha] = [0, 0, 0, 0]
      for (const { shape, color } of layers) {
        const share = coverage(shape, column, row, size)
        const rest = alpha * (1 - share)
        const total = share + rest
        if (total === 0) continue
        red = (((color >> 16) & 255) * share + red * rest) / total
        green = (((color >> 8) & 255) * share + green * rest) / total
        blue = ((color & 255) * share + blue * rest) / total
        alpha = total
      }
      pixels.set([red, green, blue, alpha * 255].map(Math.round), (row * size + column) * 4)
    }
  }
  return pixels
}

function coverage(shape: Shape, column: number, row: number, size: number): number {
  let inside = 0
  for (let sub = 0; sub < subPixels * subPixels; sub++) {
    const x = column + ((sub % subPixels) + 0.5) / subPixels
    const y = row + (Math.floor(sub / subPixels) + 0.5) / subPixels
    if (shape((2 * x) / size - 1, (2 * y) / size - 1) <= 0) inside += 1
  }
  return inside / subPixels ** 2
}

/** RGBA pixels of a square as a PNG file. */
export function png(size: number, pixels: Uint8Array): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  // 8 bits a channel, RGBA.
  header.set([8, 6], 8)
  const rows = Buffer.alloc(size * (size * 4 + 1))
  for (let row = 0; row < size; row++) {
    rows.set(pixels.subarray(row * size * 4, (row + 1) * size * 4), row * (size * 4 + 1) + 1)
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows, { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** Windows icon file of PNG images, smallest first. */
export function ico(images: readonly { size: number; file: Buffer }[]): Buffer {
  const head = Buffer.alloc(6 + images.length * 16)
  head.writeUInt16LE(1, 2)
  head.writeUInt16LE(images.length, 4)
  let at = head.length
  images.forEach(({ size, file }, index) => {
    const entry = 6 + index * 16
    // 256 is written as 0.
    head.set([size & 255, size & 255, 0, 0, 1, 0, 32, 0], entry)
    head.writeUInt32LE(file.length, entry + 8)
    head.writeUInt32LE(at, entry + 12)
    at += file.length
  })
  return Buffer.concat([head, ...images.map(({ file }) => file)])
}

/** macOS icon file of PNG images by their four-letter type, e.g. ic09 for 512 x 512. */
export function icns(images: readonly { type: string; file: Buffer }[]): Buffer {
  const entries = images.map(({ type, file }) => {
    const head = Buffer.from(`${type}\0\0\0\0`, 'latin1')
    head.writeUInt32BE(file.length + 8, 4)
    return Buffer.concat([head, file])
  })
  const head = Buffer.from('icns\0\0\0\0', 'latin1')
  head.writeUInt32BE(8 + entries.reduce((sum, entry) => sum + entry.length, 0), 4)
  return Buffer.concat([head, ...entries])
}
