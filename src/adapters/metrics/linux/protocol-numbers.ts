import { ByteNames } from './byte-names.ts'
import { ByteReader } from './byte-reader.ts'

const colon = 58

type Fields = ByteNames<number>

/**
 * Numbers named by protocol and field, such as `Tcp.CurrEstab` or `TCP.inuse`; NaN is absent. Reads both forms
 * the kernel has: names and numbers on two lines (snmp, netstat), or in turn on one (sockstat).
 */
export class ProtocolNumbers<Key extends `${string}.${string}`> {
  #protocols = new ByteNames<Fields>()
  #indexByKey = new Map<Key, number>()
  #values: Float64Array
  #numbers = new ByteReader()

  constructor(keys: readonly Key[]) {
    const protocols = new Map<string, Fields>()
    keys.forEach((key, index) => {
      const [protocol, field] = key.split('.') as [string, string]
      const fields = protocols.get(protocol) ?? new ByteNames<number>()
      if (!protocols.has(protocol)) this.#protocols.set(protocol, fields)
      protocols.set(protocol, fields)
      fields.set(field, index)
      this.#indexByKey.set(key, index)
    })
    this.#values = new Float64Array(keys.length).fill(NaN)
  }

  of(key: Key): number {
    return this.#values[this.#indexByKey.get(key)!]!
  }

  /** Forgets all values: what is not in the next text is absent. */
  clear(): void {
    this.#values.fill(NaN)
  }

  /** `TCP: inuse 1 orphan 0` */
  parsePairs(reader: ByteReader): void {
    for (; !reader.isAtEnd; reader.nextLine()) {
      const fields = this.#fieldsOfLine(reader)
      if (fields === undefined) continue
      while (!reader.isAtLineEnd) {
        const start = reader.word()
        if (reader.at === start) break
        const index = fields.get(reader.bytes, start, reader.at)
        const value = reader.number()
        if (index !== undefined) this.#values[index] = value
      }
    }
  }

  /** `Tcp: RtoMin RtoMax` and below it `Tcp: 200 120000` */
  parseTables(reader: ByteReader): void {
    const numbers = this.#numbers
    for (; !reader.isAtEnd; reader.nextLine()) {
      const fields = this.#fieldsOfLine(reader)
      numbers.reset(reader.bytes, reader.end)
      numbers.at = reader.at
      numbers.nextLine()
      if (fields !== undefined && this.#fieldsOfLine(numbers) === fields)
        this.#readTable(reader, numbers, fields)
      reader.at = numbers.at
    }
  }

  #readTable(names: ByteReader, numbers: ByteReader, fields: Fields): void {
    while (!names.isAtLineEnd) {
      const start = names.word()
      if (names.at === start) return
      const index = fields.get(names.bytes, start, names.at)
      const value = numbers.number()
      if (index !== undefined) this.#values[index] = value
    }
  }

  #fieldsOfLine(reader: ByteReader): Fields | undefined {
    const start = reader.word()
    const end = reader.bytes[reader.at - 1] === colon ? reader.at - 1 : reader.at
    return this.#protocols.get(reader.bytes, start, end)
  }
}
