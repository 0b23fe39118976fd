let chosen: () => string | undefined = () => undefined

/** The zone that times are shown in, an IANA name; undefined is this machine's. State: texts follow a change. */
export const shownZone = (): string | undefined => chosen()

/** Shows all times of the page in the zone that `timeZone` reads from state. */
export function showTimesIn(timeZone: () => string | undefined): void {
  chosen = timeZone
}
