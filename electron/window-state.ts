import type { Rectangle } from 'electron'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as z from 'zod'

const pixels = z.number().int().min(-100_000).max(100_000)

const windowStateSchema = z.strictObject({
  bounds: z.strictObject({ x: pixels, y: pixels, width: pixels.positive(), height: pixels.positive() }),
  isMaximized: z.boolean(),
})
export type WindowState = z.infer<typeof windowStateSchema>

export const minimalSize = { width: 400, height: 480 }
const usualSize = { width: 1440, height: 900 }
/** So much of the top of a window must be seen for a person to be able to move it, in pixels. */
const graspable = { width: 120, height: 32 }

/**
 * A state whose window can be seen and moved on the displays there are now: kept where it is when enough of its
 * title bar lies on one, else the usual size in the middle of the first. `workAreas` has the primary display first.
 */
export function fitToDisplays(saved: WindowState | undefined, workAreas: readonly Rectangle[]): WindowState {
  const [primary = { x: 0, y: 0, ...usualSize }] = workAreas
  const home = saved && workAreas.find((area) => isGraspable(saved.bounds, area))
  if (!saved || !home) return { bounds: centred(primary), isMaximized: saved?.isMaximized ?? false }
  const width = clamp(saved.bounds.width, minimalSize.width, home.width)
  const height = clamp(saved.bounds.height, minimalSize.height, home.height)
  // A window that became narrower may have lost the part that was seen.
  const x = clamp(saved.bounds.x, home.x + graspable.width - width, home.x + home.width - graspable.width)
  const bounds = { x, y: saved.bounds.y, width, height }
  return { bounds, isMaximized: saved.isMaximized }
}

/** The state in `file`; undefined when there is none or it is not one. */
export function readWindowState(file: string): WindowState | undefined {
  try {
    const parsed = windowStateSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Writes beside and renames, so that a crash leaves the old state or the new one. A full disk costs the state only. */
export function writeWindowState(file: string, state: WindowState): void {
  try {
    writeFileSync(`${file}.new`, JSON.stringify(state))
    renameSync(`${file}.new`, file)
  } catch {
    return
  }
}

function isGraspable(bounds: Rectangle, area: Rectangle): boolean {
  const width = Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x)
  const isTopInside = bounds.y >= area.y && bounds.y + graspable.height <= area.y + area.height
  return width >= graspable.width && isTopInside
}

function centred(area: Rectangle): Rectangle {
  const width = Math.min(usualSize.width, area.width)
  const height = Math.min(usualSize.height, area.height)
  return {
    x: Math.round(area.x + (area.width - width) / 2),
    y: Math.round(area.y + (area.height - height) / 2),
    width,
    height,
  }
}

/** An area smaller than the minimum still gets the minimum. */
const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(value, most))
