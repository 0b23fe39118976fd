import * as words from '../../contract/index.ts'
import { shownZone } from './shown-zone.ts'

export { noFigure, stopwatch } from '../../contract/index.ts'

/** A figure stays on one line with its unit. */
const unbroken = (text: string): string => text.replaceAll(' ', '\u00a0')

export const duration = (spanMs: number): string => unbroken(words.duration(spanMs))
export const took = (spanMs: number): string => unbroken(words.took(spanMs))
export const age = (spanMs: number): string => unbroken(words.age(spanMs))
export const ago = (atMs: number, nowMs: number): string => unbroken(words.ago(atMs, nowMs))

/** Time of day in the zone that the person chose, `10:54:43`. */
export const clockTime = (atMs: number): string => words.clockTime(atMs, shownZone())

/** `10:54:43` for a time of the same day as `nowMs`, else with day and zone, `Nov 28, 10:54:43 UTC`. */
export const dateTime = (atMs: number, nowMs: number): string => words.dateTime(atMs, nowMs, shownZone())

/** Always with day and zone, for a title: `Nov 28, 2025, 10:54:43 UTC`. */
export const fullDateTime = (atMs: number): string => words.fullDateTime(atMs, shownZone())

/** The zone that times are shown in, `UTC` or `GMT+2`. */
export const shownZoneName = (atMs: number): string => words.zoneName(atMs, shownZone())
