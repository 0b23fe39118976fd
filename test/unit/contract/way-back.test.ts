import { describe, expect, it, vi } from 'vitest'
import { isEmergencyWay, waysBack, type ServiceState, type WayBack } from '../../../src/contract/index.ts'
import {
  apply,
  buildPlan,
  noWayBack,
  undoPlan,
  wayBackOf,
  type DeploymentState,
  type WayBackFacts,
} from '../../../src/engine/deployments/index.ts'
import type { Session } from '../../../src/hosts/cli/operations/session.ts'
import { stoppedLines, wayBackLines } from '../../../src/hosts/cli/operations/ways-back.ts'
import { orderLabel, rollbackChoice, wordToType } from '../../../src/renderer/rollback/rollback-choice.ts'
import { madeService } from '../renderer/deployments/made.ts'
import { person } from '../../support/person.ts'

vi.mock('electron', () => import('../../support/electron/index.ts'))
const { waysBackIn } = await import('../../../electron/emergency.ts')
const { rollbackMenu } = await import('../../../electron/tray.ts')

const plan = buildPlan({})
if (!plan.ok) throw plan.error
const requested = (stableReleaseId: string | null) =>
  apply(null, {
    deploymentId: 'd1',
    seq: 1,
    atMs: 0,
    elapsedMs: 0,
    event: {
      kind: 'requested',
      id: 'd1',
      service: 'checkout',
      candidateReleaseId: 'r2',
      stableReleaseId,
      plan: plan.value,
      by: person('anna'),
      why: '',
      retryOf: '',
    },
  })
const open = (change: Partial<DeploymentState>, stable: string | null = 'r1'): DeploymentState => ({
  ...requested(stable),
  ...change,
})
const undoing = (change: Partial<DeploymentState>) => open({ plan: undoPlan(plan.value), ...change })
const rolledBack = { by: person('engine'), reason: 'errors', isEmergency: false }

const facts = (
  change: Partial<WayBackFacts> & { stable?: string | null; stopped?: boolean },
): WayBackFacts => ({
  open: [],
  router: null,
  undo: null,
  ...change,
  record: {
    name: 'checkout',
    stableReleaseId: change.stable === undefined ? 'r1' : change.stable,
    instances: 2,
    automationStopped: change.stopped ? { by: person('ben'), atMs: 0, reason: 'customers call' } : null,
    scaling: null,
    endedEmergencyKey: null,
    revision: 1,
  },
})
const routed = (weights: Record<string, number>, fallbackReleaseId = 'r1') => ({
  weights,
  fallbackReleaseId,
  revision: 1,
  key: '',
  emergency: null,
})
const paused = { cause: 'person', by: person('anna'), reason: 'lunch', sinceMs: 0 } as const
const traffic = { hasHadTraffic: true, weight: 25 }
const undo = { releaseId: 'r1', startMs: 8000 }

/** What can be rolled back, and how, in every situation that a service can be in. */
const situations: [string, WayBackFacts, string | null][] = [
  ['nothing was ever deployed', facts({ stable: null }), null],
  ['it rests on its first release', facts({}), null],
  ['a deployment waits for its turn', facts({ open: [open({})] }), 'stop r2 → r1'],
  ['the checks run', facts({ open: [open({ stage: { kind: 'validating' } })] }), 'stop r2 → r1'],
  [
    'the checks are paused',
    facts({ open: [open({ stage: { kind: 'validating' }, pause: paused })] }),
    'stop r2 → r1',
  ],
  ['instances start', facts({ open: [open({ stage: { kind: 'staging' } })] }), 'stop r2 → r1'],
  [
    'a gate is closed',
    facts({ open: [open({ stage: { kind: 'shifting', step: 0 }, hasHadTraffic: true })] }),
    'shift r2 → r1',
  ],
  [
    'a step is held',
    facts({ open: [open({ stage: { kind: 'holding', step: 0 }, ...traffic })] }),
    'shift r2 → r1',
  ],
  [
    'a step is paused',
    facts({ open: [open({ stage: { kind: 'holding', step: 0 }, ...traffic, pause: paused })] }),
    'shift r2 → r1',
  ],
  [
    'it takes over',
    facts({ open: [open({ stage: { kind: 'handing_over' }, ...traffic })] }),
    'shift r2 → r1',
  ],
  [
    'it was promoted, the old release is warm',
    facts({
      stable: 'r2',
      open: [open({ stage: { kind: 'warm' }, hasHadTraffic: true, weight: 100, isHandedOver: true })],
    }),
    'warm r2 → r1',
  ],
  [
    'the old release is being stopped',
    facts({
      stable: 'r2',
      undo,
      open: [open({ stage: { kind: 'retiring' }, hasHadTraffic: true, weight: 100, isHandedOver: true })],
    }),
    'undo r2 → r1',
  ],
  ['the old release has stopped', facts({ stable: 'r2', undo }), 'undo r2 → r1'],
  ['the old release is not known any more', facts({ stable: 'r2' }), null],
  [
    'traffic is on its way back',
    facts({ open: [open({ stage: { kind: 'returning' }, ...traffic, rollback: rolledBack })] }),
    'shift r2 → r1',
  ],
  [
    'traffic has returned',
    facts({ open: [open({ stage: { kind: 'stopping' }, ...traffic, rollback: rolledBack })] }),
    null,
  ],
  [
    'traffic has returned and the next one waits',
    facts({
      open: [
        open({ stage: { kind: 'stopping' }, ...traffic, rollback: rolledBack }),
        open({ id: 'd2', candidateReleaseId: 'r3' }),
      ],
    }),
    'stop r3 → r1',
  ],
  ['an undo waits for its turn', facts({ open: [undoing({})] }), null],
  ['an undo starts its instances', facts({ open: [undoing({ stage: { kind: 'staging' } })] }), null],
  ['an undo takes over', facts({ open: [undoing({ stage: { kind: 'handing_over' }, ...traffic })] }), null],
  [
    'an undo has taken over and what it left still runs',
    facts({ stable: 'r2', open: [undoing({ stage: { kind: 'warm' }, ...traffic, isHandedOver: true })] }),
    null,
  ],
  [
    'an undo has taken over and what it left is being stopped',
    facts({
      stable: 'r2',
      undo: { releaseId: 'r0', startMs: 8000 },
      open: [undoing({ stage: { kind: 'retiring' }, ...traffic, isHandedOver: true })],
    }),
    'undo r2 → r0',
  ],
  [
    'an undo was ended and its traffic returns',
    facts({ open: [undoing({ stage: { kind: 'returning' }, ...traffic, rollback: rolledBack })] }),
    null,
  ],
  [
    'an emergency has stopped automation',
    facts({ undo: { releaseId: 'r0', startMs: 8000 }, stopped: true }),
    'undo r1 → r0',
  ],
  [
    'a first release is checked',
    facts({ stable: null, open: [open({ stage: { kind: 'validating' } }, null)] }),
    'stop r2 → no release',
  ],
  [
    'a first release takes over',
    facts({ stable: null, open: [open({ stage: { kind: 'handing_over' }, ...traffic }, null)] }),
    null,
  ],
  [
    'the router splits and no record says why',
    facts({ stable: null, router: routed({ r1: 75, r2: 25 }) }),
    'shift r2 → r1',
  ],
]

const serviceWith = (wayBack: WayBack | null): ServiceState => madeService({ name: 'checkout', wayBack })

describe('what can be rolled back', () => {
  it.each(situations)('when %s', (_, given, expected) => {
    const way = wayBackOf(given)
    expect(way && `${way.kind} ${way.from} → ${way.to ?? 'no release'}`).toBe(expected)
    const time = { stop: 'its deployment stops', shift: 'at once', warm: 'at once', undo: 'about 8 s' }
    if (way) expect(way.text).toContain(time[way.kind])
    if (!way || way.kind === 'undo') expect(noWayBack('checkout', given).code).toBe('CONFLICT')
  })

  it.each(situations)(
    'is the same on the screen, in the tray and on the command line when %s',
    (_, given) => {
      const service = serviceWith(wayBackOf(given))
      const way = service.wayBack
      const pair = way ? `checkout: ${way.from} → ${way.to ?? 'no release'}` : null

      const choice = rollbackChoice(waysBack([service]), '')
      expect(
        choice.ways.map(({ service: name, from, to }) => `${name}: ${from} → ${to ?? 'no release'}`),
      ).toEqual(pair ? [pair] : [])
      expect(orderLabel(choice)).toBe(
        way ? `${way.kind === 'undo' ? 'Undo' : 'Roll back'} ${pair ?? ''}` : 'Choose a service',
      )

      const ordered: string[] = []
      const menu = rollbackMenu(waysBackIn({ 'service:checkout': service }), (ways) => {
        ordered.push(...ways.map(({ kind }) => kind))
      })
      const items = menu.flatMap(({ label: group, submenu }) =>
        Array.isArray(submenu) ? submenu.map(({ label }) => `${group ?? ''} / ${label ?? ''}`) : [],
      )
      const group = way?.kind === 'undo' ? 'Undo a promotion' : 'Emergency rollback'
      expect(items).toEqual(pair ? [`${group} / ${pair}…`] : [])

      const command =
        way?.kind === 'undo' ? 'pilothouse deployments undo checkout' : 'pilothouse rollback checkout'
      expect(wayBackLines(waysBack([service]))).toEqual(
        way ? [['checkout', `${way.from} → ${way.to ?? 'no release'}`, way.text, command]] : [],
      )
    },
  )

  it('claims traffic for the stable release only where the router has it so', () => {
    const text = (weights: Record<string, number> | null) =>
      noWayBack('checkout', facts({ stopped: true, router: weights && routed(weights) })).message
    expect(text({ r1: 100 })).toContain('all traffic goes to r1')
    expect(text({})).toContain('r1 has 0% of traffic')
    expect(text(null)).toContain('the router has not answered')
    const stopped = facts({ stopped: true, stable: 'r2', undo, router: routed({ r2: 100 }) })
    expect(noWayBack('checkout', stopped).message).toMatch(
      /all traffic goes to r2\. An undo goes further back, to r1, and resumes automation$/,
    )
    const service = {
      ...serviceWith(null),
      automationStopped: { by: person('anna'), atMs: 0, reason: 'errors' },
    }
    const times = { day: () => '10:54' } as unknown as Session['times']
    const next = (words: string) => `pilothouse ${words}`
    expect(stoppedLines([service], { times, next }).join()).toMatch(
      /automation has been stopped since 10:54 \(anna\).*first run: pilothouse resume checkout$/,
    )
  })

  it('offers the rollback again where the router has lost it', () => {
    const lost = facts({ stopped: true, router: routed({ r1: 50, r2: 50 }) })
    expect(wayBackOf(lost)).toMatchObject({ kind: 'shift', from: 'r2', to: 'r1', weight: 50 })
    const wholly = facts({ stopped: true, router: routed({ r2: 100 }) })
    expect(wayBackOf(wholly)).toMatchObject({ kind: 'shift', from: 'r2', to: 'r1', weight: 100 })
  })

  it('names the command that helps where an emergency rollback refuses', () => {
    const next = (given: WayBackFacts) => noWayBack('checkout', given).details['nextCommand']
    expect(next(facts({ stable: 'r2', undo }))).toBe('pilothouse deployments undo checkout')
    expect(next(facts({ stopped: true }))).toBe('pilothouse resume checkout')
    expect(next(facts({ stable: 'r2', undo, stopped: true }))).toBe('pilothouse deployments undo checkout')
    expect(next(facts({}))).toBeUndefined()
  })
})

describe('several services', () => {
  const way = (kind: WayBack['kind'], weight: number): WayBack => ({
    kind,
    from: 'r2',
    to: 'r1',
    weight,
    deploymentId: null,
    text: 'as it is',
  })
  const service = (name: string, wayBack: WayBack | null, environment = 'development') =>
    madeService({ name, wayBack, environment })
  const services = [
    service('old', way('undo', 100)),
    service('small', way('shift', 5)),
    service('calm', null),
    service('big', way('warm', 100)),
  ]

  it('stand with what goes at once first, most traffic first, and undos last', () => {
    expect(waysBack(services).map(({ service: name }) => name)).toEqual(['big', 'small', 'old'])
  })

  it('go back together only where that is at once: an undo is never part of all', () => {
    const all = rollbackChoice(waysBack(services), '')
    expect(all).toMatchObject({ isAll: true, ways: [{ service: 'big' }, { service: 'small' }] })
    expect(all.ways.every(isEmergencyWay)).toBe(true)
    expect(rollbackChoice(waysBack(services), 'old')).toMatchObject({
      isAll: false,
      ways: [{ service: 'old' }],
    })
  })

  it('are not undone by themselves: with two undos nothing is chosen', () => {
    const two = waysBack([service('a', way('undo', 100)), service('b', way('undo', 100))])
    expect(rollbackChoice(two, '').ways).toEqual([])
  })

  it('ask for the name of a production service, for ALL when it is everything, else for nothing', () => {
    const word = (of: ServiceState[]) => wordToType(rollbackChoice(waysBack(of), ''))
    const shop = service('shop', way('shift', 10), 'production')
    expect(word([shop])).toBe('shop')
    expect(word([shop, service('lab', way('shift', 10))])).toBe('ALL')
    expect(word([service('lab', way('shift', 10))])).toBeNull()
  })
})
