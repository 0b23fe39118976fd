import type { Generated, Insertable } from 'kysely'
import type { Actor, Notice } from '../../../contract/index.ts'

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
  lease: {
    id: number
    owner_host: string
    owner_pid: number
    /** Grows with each owner. */
    token: number
    taken_at_ms: number
    heartbeat_at_ms: number
    expires_at_ms: number
  }
  services: {
    name: string
    stable_release_id: string | null
    instances: number
    /** JSON; null when automation runs. */
    automation_stopped: string | null
    revision: number
    /** JSON; null before a count of instances was declared. */
    scaling: string | null
    /** Its key; null when none was ended. */
    ended_emergency: string | null
  }
  declarations: {
    service: string
    /** JSON. */
    written: string
    declared_by: string
    declared_by_kind: Actor['kind'] | null
    at_ms: number
    revision: number
    /** 0 or 1. */
    is_leaving: number
  }
  releases: { seq: Generated<number>; service: string; id: string; body: string }
  deployments: {
    seq: Generated<number>
    id: string
    service: string
    phase: string
    stable_release_id: string | null
    candidate_release_id: string
    created_by: string
    created_at_ms: number
    ended_at_ms: number | null
    reason: string
    why: string
    body: string
  }
  deployment_events: {
    deployment_id: string
    seq: number
    at_ms: number
    elapsed_ms: number
    event: string
  }
  evidence_bins: { deployment_id: string; at_ms: number; release_id: string; body: string }
  service_traffic: { service: string; at_ms: number; release_id: string; body: string }
  judge_states: { deployment_id: string; memory: string; cursor: string | null }
  audit: {
    seq: number
    at_ms: number
    actor: string
    actor_kind: Actor['kind'] | null
    action: string
    target: string
    why: string
    details: string
    previous_hash: string
    hash: string
  }
  audit_keys: { id: number; from_seq: number; fingerprint: string }
  audit_end: { id: number; seq: number; hash: string; seal: string }
}

export type NoticeRow = Insertable<Tables['notices']>
