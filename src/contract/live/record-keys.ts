import type { Right } from '../api/index.ts'
import type { LiveRecordKey } from './records.ts'

/** The right that a record is read with, by its kind: a consumer without it is not sent any. */
const recordRights = {
  engine: 'state.read',
  config: 'config.read',
  health: 'state.read',
  notices: 'state.read',
  host: 'state.read',
  hostState: 'state.read',
  service: 'state.read',
  deployment: 'state.read',
} as const satisfies Record<string, Right>
type RecordKind = keyof typeof recordRights

/** What a consumer asks for: all of a kind (`service:*`), or one record (`health`, `hostState:local`). */
export type LivePattern = LiveRecordKey | `${RecordKind}:*`

const kindOf = (key: LiveRecordKey): RecordKind => key.split(':', 1)[0] as RecordKind

export const rightToRead = (key: LiveRecordKey): Right => recordRights[kindOf(key)]

export const matchesAny = (patterns: ReadonlySet<string>, key: LiveRecordKey): boolean =>
  patterns.has(key) || patterns.has(`${kindOf(key)}:*`)
