import type { SlotGroup } from '../slots.ts'
import type { ByteReader } from './byte-reader.ts'

/**
 * One file of /proc and what its numbers mean. `parse` sees the whole text of one reading; it never throws,
 * whatever the bytes, and leaves out what is not there. It makes no strings but for names it has not seen yet.
 */
export interface Section {
  readonly group: SlotGroup
  parse(reader: ByteReader): void
  /** Called in place of `parse` while the file cannot be read; for sections that keep something between readings. */
  absent?(): void
}
