import type { Section } from '../../../../src/adapters/metrics/linux/section.ts'
import { ByteReader } from '../../../../src/adapters/metrics/linux/byte-reader.ts'
import { SeriesSlots } from '../../../../src/adapters/metrics/slots.ts'

/** Values by name, labels behind it in braces: `cpu.core.busy{0}`. */
export type Named = Record<string, number>

export const nameOf = ({ name, labels }: { name: string; labels: Record<string, string> }): string =>
  [name, ...Object.values(labels).map((value) => `{${value}}`)].join('')

/** Feeds texts of one file to its section, `seconds` apart, and tells the values after each. */
export class SectionRounds {
  readonly slots = new SeriesSlots()
  #section: Section
  #isFirst = true

  constructor(make: (slots: SeriesSlots) => Section) {
    this.#section = make(this.slots)
  }

  round(text: string | Uint8Array, seconds = 1): Named {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
    this.slots.resets.length = 0
    this.#section.group.begin(this.#isFirst ? NaN : seconds)
    this.#section.parse(new ByteReader().reset(bytes))
    this.#section.group.end()
    this.#isFirst = false
    return Object.fromEntries(this.slots.series.map((key, slot) => [nameOf(key), this.slots.values[slot]!]))
  }

  get resets(): string[] {
    return this.slots.resets.map((slot) => nameOf(this.slots.series[slot]!))
  }
}
