/**
 * A button whose one press must not be enough: a pointer holds it, a keyboard presses it twice. Times are
 * milliseconds of any one clock.
 */
export type Arming =
  | { kind: 'idle' }
  /** A pointer is down since then. */
  | { kind: 'held'; sinceMs: number }
  /** Pressed once by key; a second press until then confirms. */
  | { kind: 'armed'; untilMs: number }

export type ArmingEvent = 'down' | 'up' | 'press' | 'tick' | 'cancel'

export const holdMs = 1000
export const armedMs = 5000

/** What the event makes of the state at `nowMs`; `isConfirmed` once, when the person has meant it. */
export function afterEvent(
  state: Arming,
  event: ArmingEvent,
  nowMs: number,
): { state: Arming; isConfirmed: boolean } {
  const to = (next: Arming, isConfirmed = false) => ({ state: next, isConfirmed })
  const isHeldLong = state.kind === 'held' && nowMs - state.sinceMs >= holdMs
  switch (event) {
    case 'down':
      return to({ kind: 'held', sinceMs: nowMs })
    case 'press':
      return state.kind === 'armed' && nowMs <= state.untilMs
        ? to({ kind: 'idle' }, true)
        : to({ kind: 'armed', untilMs: nowMs + armedMs })
    case 'up':
      return state.kind === 'held' ? to({ kind: 'idle' }, isHeldLong) : to(state)
    case 'tick':
      if (isHeldLong) return to({ kind: 'idle' }, true)
      return to(state.kind === 'armed' && nowMs > state.untilMs ? { kind: 'idle' } : state)
    case 'cancel':
      return to({ kind: 'idle' })
  }
}
