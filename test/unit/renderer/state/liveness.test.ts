import { describe, expect, it } from 'vitest'
import type { ConnectionState } from '../../../../src/contract/index.ts'
import { livenessOf, type LivenessInput } from '../../../../src/renderer/state/liveness.ts'

const nowMs = 1_000_000
const input = (changes: Partial<LivenessInput> = {}): LivenessInput => ({
  connection: { kind: 'open' },
  nowMs,
  lastHeardMs: nowMs - 300,
  clockOffsetMs: 0,
  lastSampleMs: nowMs - 700,
  isPaused: false,
  ...changes,
})

describe('the page', () => {
  it('is live with the age of the newest sample', () => {
    expect(livenessOf(input())).toEqual({ kind: 'live', ageMs: 700 })
  })

  it('measures the age by the engine\u2019s clock, however far it is off', () => {
    const ahead = input({ clockOffsetMs: 7_200_000, lastSampleMs: nowMs + 7_200_000 - 900 })
    expect(livenessOf(ahead)).toEqual({ kind: 'live', ageMs: 900 })
  })

  it('is stale when the engine is silent', () => {
    expect(livenessOf(input({ lastHeardMs: nowMs - 5000, lastSampleMs: nowMs - 5400 }))).toEqual({
      kind: 'stale',
      ageMs: 5400,
    })
  })

  it('is stale when the engine answers but no longer measures', () => {
    expect(livenessOf(input({ lastHeardMs: nowMs, lastSampleMs: nowMs - 60_000 }))).toEqual({
      kind: 'stale',
      ageMs: 60_000,
    })
  })

  it('is paused only as long as it could be live', () => {
    expect(livenessOf(input({ isPaused: true })).kind).toBe('paused')
    expect(livenessOf(input({ isPaused: true, lastHeardMs: nowMs - 60_000 })).kind).toBe('stale')
  })

  it('goes by what it heard while there is no host', () => {
    expect(livenessOf(input({ lastSampleMs: null }))).toEqual({ kind: 'live', ageMs: 300 })
  })

  it('connects before it ever heard anything', () => {
    const first: ConnectionState = { kind: 'connecting', attempt: 1 }
    expect(livenessOf(input({ connection: first, lastHeardMs: 0, lastSampleMs: null }))).toEqual({
      kind: 'connecting',
    })
  })

  it('reconnects for a few attempts with the time of the next one, then is offline and still tries', () => {
    const waiting = (attempt: number): ConnectionState => ({
      kind: 'waiting',
      attempt,
      retryAtMs: nowMs + 500,
      reason: 'refused',
    })
    expect(livenessOf(input({ connection: waiting(2) }))).toEqual({
      kind: 'reconnecting',
      ageMs: 700,
      retryAtMs: nowMs + 500,
    })
    expect(livenessOf(input({ connection: waiting(6) })).kind).toBe('offline')
    expect(livenessOf(input({ connection: { kind: 'connecting', attempt: 7 } }))).toEqual({
      kind: 'offline',
      ageMs: 700,
      retryAtMs: null,
    })
  })

  it('has no age of what was never there', () => {
    const state = livenessOf(
      input({ connection: { kind: 'connecting', attempt: 3 }, lastHeardMs: 0, lastSampleMs: null }),
    )
    expect(state).toEqual({ kind: 'reconnecting', ageMs: null, retryAtMs: null })
  })
})
