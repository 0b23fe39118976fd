import type { ConnectionState } from '../../contract/index.ts'

/** How far what stands on screen can be trusted. */
export type Liveness =
  | { kind: 'connecting' }
  | { kind: 'live'; ageMs: number }
  /** The person stopped the view; the engine goes on. */
  | { kind: 'paused'; ageMs: number }
  /** Connected, but nothing new arrives. */
  | { kind: 'stale'; ageMs: number }
  | { kind: 'reconnecting'; ageMs: number | null; retryAtMs: number | null }
  /** Several attempts failed; further ones are made. */
  | { kind: 'offline'; ageMs: number | null; retryAtMs: number | null }

export interface LivenessInput {
  connection: ConnectionState
  /** All times in milliseconds of this page's clock. */
  nowMs: number
  /** 0 for never. */
  lastHeardMs: number
  /** What to add to this page's time to have the engine's. */
  clockOffsetMs: number
  /** Engine's time of the newest sample of any host; null while there is no host. */
  lastSampleMs: number | null
  isPaused: boolean
}

/** Data older than this is not live. Samples come each second; two may be late. */
const staleAfterMs = 3500
/** From this attempt on, about 8 s after the loss, the engine counts as gone. */
const offlineFromAttempt = 6

/**
 * The state of the page. Its age is that of the newest sample where there is one, for an engine that answers but
 * no longer measures is as stale as one that is silent.
 */
export function livenessOf(input: LivenessInput): Liveness {
  const { connection, nowMs, lastHeardMs, isPaused } = input
  const hasHeard = lastHeardMs > 0
  const ageMs = ageOf(input)
  switch (connection.kind) {
    case 'open':
      if (!hasHeard) return { kind: 'connecting' }
      if (ageMs > staleAfterMs || nowMs - lastHeardMs > staleAfterMs) return { kind: 'stale', ageMs }
      return { kind: isPaused ? 'paused' : 'live', ageMs }
    case 'connecting':
    case 'waiting': {
      if (!hasHeard && connection.attempt === 1 && connection.kind === 'connecting')
        return { kind: 'connecting' }
      const kind = connection.attempt >= offlineFromAttempt ? 'offline' : 'reconnecting'
      const retryAtMs = connection.kind === 'waiting' ? connection.retryAtMs : null
      return { kind, ageMs: hasHeard ? ageMs : null, retryAtMs }
    }
    case 'closed':
      return { kind: 'offline', ageMs: hasHeard ? ageMs : null, retryAtMs: null }
  }
}

function ageOf({ nowMs, lastHeardMs, clockOffsetMs, lastSampleMs }: LivenessInput): number {
  if (lastSampleMs === null) return Math.max(0, nowMs - lastHeardMs)
  return Math.max(0, nowMs + clockOffsetMs - lastSampleMs)
}
