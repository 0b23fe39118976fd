import type { ByteReader } from './byte-reader.ts'
import { ByteNames } from './byte-names.ts'

const colon = 58

/** The numbers of a text of lines `Key: number` or `key number`, for the keys asked for; NaN is absent. */
export class KeyedNumbers<Key extends string> {
  #indexes = new ByteNames<number>()
  #indexByKey = new Map<Key, number>()
  #values: Float64Array

  constructor(keys: readonly Key[]) {
    keys.forEach((key, index) => {
      this.#indexes.set(key, index)
      this.#indexByKey.set(key, index)
    })
    this.#values = new Float64Array(keys.length)
  }

  parse(reader: ByteReader): void {
    this.#values.fill(NaN)
    for (; !reader.isAtEnd; reader.nextLine()) {
      const start = reader.word()
      const end = reader.bytes[reader.at - 1] === colon ? reader.at - 1 : reader.at
      const index = this.#indexes.get(reader.bytes, start, end)
      if (index !== undefined) this.#values[index] = reader.number()
    }
  }

  of(key: Key): number {
    return this.#values[this.#indexByKey.get(key)!]!
  }

  /** The sum of those that are there; NaN when none is. */
  sum(...keys: Key[]): number {
    let sum = NaN
    for (const key of keys) {
      const value = this.of(key)
      if (!Number.isNaN(value)) sum = Number.isNaN(sum) ? value : sum + value
    }
    return sum
  }
}
