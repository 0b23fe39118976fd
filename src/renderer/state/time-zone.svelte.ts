import { timeZoneNames, zoneOf, type TimeZoneName } from '../../contract/index.ts'
import { showTimesIn } from '../format/index.ts'

export const timeZoneChoices = ['configured', ...timeZoneNames] as const
export type TimeZoneChoice = (typeof timeZoneChoices)[number]

const storageKey = 'pilothouse.timeZone'

/**
 * In which zone times stand: as the engine's configuration says, as on the command line, unless this viewer chose
 * otherwise. The choice is kept in this browser.
 */
export class TimeZone {
  #choice = $state<TimeZoneChoice>(stored())
  readonly #configured: () => TimeZoneName
  /** Derived, so that what shows a time is not made anew with each message from the engine. */
  readonly shown = $derived.by(() => (this.#choice === 'configured' ? this.configured : this.#choice))

  constructor(configured: () => TimeZoneName) {
    this.#configured = configured
    showTimesIn(() => zoneOf(this.shown))
  }

  get choice(): TimeZoneChoice {
    return this.#choice
  }

  get configured(): TimeZoneName {
    return this.#configured()
  }

  choose(choice: TimeZoneChoice): void {
    this.#choice = choice
    try {
      localStorage.setItem(storageKey, choice)
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  }

  turn(): void {
    this.choose(this.shown === 'utc' ? 'local' : 'utc')
  }
}

function stored(): TimeZoneChoice {
  try {
    const kept = localStorage.getItem(storageKey)
    return timeZoneChoices.find((choice) => choice === kept) ?? 'configured'
  } catch {
    return 'configured'
  }
}
