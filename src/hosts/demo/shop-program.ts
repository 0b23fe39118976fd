import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The program of the shop's processes: in the bundle beside this entry or a folder above a chunk, else the source. */
export function shopProgram(): string {
  const places = ['./shop.js', '../shop.js', '../../demo/shop/main.ts'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  )
  const found = places.find((place) => existsSync(place))
  if (found === undefined)
    throw new Error(`the program of the demo shop was not found. Searched: ${places.join(', ')}`)
  return found
}
