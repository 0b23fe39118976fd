import { dateTime, fullDateTime, zoneOf, type TimeZoneName } from '../../contract/index.ts'

/** How a command writes times. */
export interface Times {
  /** `10:54:43` for a time of today, else with day and zone. */
  moment(atMs: number): string
  /** Always with day and zone. */
  day(atMs: number): string
}

/** Times in the zone of this machine or in UTC. */
export const timesIn = (zone: TimeZoneName, nowMs: () => number): Times => ({
  moment: (atMs) => dateTime(atMs, nowMs(), zoneOf(zone)),
  day: (atMs) => fullDateTime(atMs, zoneOf(zone)),
})
