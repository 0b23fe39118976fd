import type { Generated, Insertable } from 'kysely'
import type { Notice } from '../../../contract/index.ts'

/** The tables as they are after the last migration. */
export interface Tables {
  notices: {
    seq: Generated<number>
    id: string
    at_ms: number
    severity: Notice['severity']
    text: string
    link: string
  }
  launches: {
    seq: Generated<number>
    epoch: string
    version: string
    started_at_ms: number
    stopped_at_ms: number | null
  }
  write_probe: { id: number; at_ms: number }
}

export type NoticeRow = Insertable<Tables['notices']>
