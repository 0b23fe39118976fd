import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  buildPlan,
  isBehind,
  releaseBefore,
  releaseLine,
  straightPlan,
  undoPlan,
  type LineDeployment,
} from '../../../../src/engine/deployments/index.ts'

const built = buildPlan({})
if (!built.ok) throw built.error
const plan = built.value

type Move =
  | { kind: 'deploy'; to: string }
  | { kind: 'undo'; to?: string }
  /** A canary that had traffic, or a promotion that was still warm, and was taken back, also by an emergency. */
  | { kind: 'rolledBack'; to: string }
  | { kind: 'neverInTraffic'; to: string }

/** What the store holds after these moves of a service that began with r1, by the rules of the engine. */
function history(moves: readonly Move[]): { deployments: LineDeployment[]; stable: string } {
  let stable = 'r1'
  const deployments: LineDeployment[] = []
  for (const move of moves) {
    const line = releaseLine(deployments)
    const to = move.kind === 'undo' ? (move.to ?? releaseBefore(line)) : move.to
    if (to === null || to === stable) continue
    const isBack = move.kind === 'undo' && isBehind(line, to)
    const isPromoted = move.kind === 'deploy' || move.kind === 'undo'
    deployments.push({
      candidateReleaseId: to,
      stableReleaseId: stable,
      plan: isBack ? undoPlan(plan) : move.kind === 'undo' ? straightPlan(plan) : plan,
      phase: isPromoted ? 'promoted' : 'rolled_back',
      reached: move.kind === 'rolledBack' ? { stepIndex: 0, weight: 10 } : null,
    })
    if (isPromoted) stable = to
  }
  return { deployments, stable }
}

const deploy = (to: string): Move => ({ kind: 'deploy', to })
const rolledBack = (to: string): Move => ({ kind: 'rolledBack', to })
const undo: Move = { kind: 'undo' }

const sequences: [string, Move[], string | null][] = [
  ['nothing was deployed', [], null],
  ['a release was deployed', [deploy('r2')], 'r1'],
  ['it was undone', [deploy('r2'), undo], null],
  ['the second of two was undone', [deploy('r2'), deploy('r3'), undo], 'r1'],
  ['both were undone', [deploy('r2'), deploy('r3'), undo, undo], null],
  ['two were undone at once', [deploy('r2'), deploy('r3'), { kind: 'undo', to: 'r1' }], null],
  ['another one was deployed after an undo', [deploy('r2'), undo, deploy('r3')], 'r1'],
  ['and undone as well', [deploy('r2'), undo, deploy('r3'), undo], null],
  ['what was undone is brought back by name', [deploy('r2'), undo, { kind: 'undo', to: 'r2' }], 'r1'],
  ['and undone again', [deploy('r2'), undo, { kind: 'undo', to: 'r2' }, undo], null],
  ['what was undone is deployed again', [deploy('r2'), undo, deploy('r2')], 'r1'],
  ['and followed by another one', [deploy('r2'), undo, deploy('r2'), deploy('r3')], 'r2'],
  ['a canary was rolled back', [deploy('r2'), rolledBack('r3')], 'r1'],
  ['its retry was promoted', [rolledBack('r2'), deploy('r2')], 'r1'],
  ['its retry was promoted and followed', [rolledBack('r2'), deploy('r2'), deploy('r3')], 'r2'],
  [
    'the release before was tried again and rolled back',
    [deploy('r2'), deploy('r3'), rolledBack('r2')],
    'r1',
  ],
  [
    'the release before was tried again and never had traffic',
    [deploy('r2'), deploy('r3'), { kind: 'neverInTraffic', to: 'r2' }],
    'r2',
  ],
  ['an old release was deployed again', [deploy('r2'), deploy('r1')], 'r2'],
  ['an old release was deployed again and undone', [deploy('r2'), deploy('r1'), undo], null],
]

describe('the release that an undo brings back', () => {
  it.each(sequences)('when %s', (_, moves, expected) => {
    expect(releaseBefore(releaseLine(history(moves).deployments))).toBe(expected)
  })

  it('never is one that was last left by an undo, a rollback or an emergency, nor the stable one', () => {
    const release = fc.constantFrom('r1', 'r2', 'r3', 'r4')
    const move: fc.Arbitrary<Move> = fc.oneof(
      fc.record({ kind: fc.constant('deploy' as const), to: release }),
      fc.record({ kind: fc.constant('undo' as const) }),
      fc.record({ kind: fc.constant('undo' as const), to: release }),
      fc.record({ kind: fc.constant('rolledBack' as const), to: release }),
      fc.record({ kind: fc.constant('neverInTraffic' as const), to: release }),
    )
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        const { deployments, stable } = history(moves)
        const lastEnd = new Map<string, string>()
        for (const { candidateReleaseId: to, stableReleaseId: from, ...each } of deployments) {
          if (each.phase === 'rolled_back' && each.reached) lastEnd.set(to, 'rolled back')
          if (each.phase !== 'promoted' || from === null) continue
          lastEnd.delete(to)
          lastEnd.set(from, each.plan.isUndo ? 'undone' : 'followed')
        }
        const before = releaseBefore(releaseLine(deployments))
        if (before === null) return
        expect(before).not.toBe(stable)
        expect(lastEnd.get(before)).toBe('followed')
      }),
      { numRuns: 2000 },
    )
  })

  it('is found where the history does not reach back to the first deployment', () => {
    const late = history([deploy('r2'), deploy('r3'), deploy('r4')]).deployments.slice(2)
    expect(releaseBefore(releaseLine(late))).toBe('r3')
  })
})
