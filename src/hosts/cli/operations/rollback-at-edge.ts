import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { EdgeClient } from '../../../adapters/platforms/edge/index.ts'
import {
  localOrderKey,
  waysBack,
  weightOf,
  weightText,
  type ServiceWayBack,
  type WayBack,
  type EdgeOutput,
  type EdgeReport,
  type RollbackOutcome,
} from '../../../contract/index.ts'
import { edgeClient, edgeDirectory } from '../../edge/index.ts'

/** Longest wait for one answer of an edge. It is asked while the engine is, so that only the order itself comes after. */
const edgeWithinMs = 800

/** What is known of a service at the edge; null for what it did not tell. */
interface Seen {
  /** The edge said that there is no such service. */
  isUnknown: boolean
  report: EdgeReport | null
  running: EdgeOutput<'observe'> | null
}

/** The way around an engine that does not answer. */
export interface EdgeWay extends AsyncDisposable {
  /** Whether the edge says that it has no service of this name. False when it does not answer. */
  denies(service: string): Promise<boolean>
  /**
   * The emergency rollback at the edge itself, which keeps where an emergency sends each service: of these services, or of
   * every one with a candidate. An engine that comes back finds the emergency there, ends the deployment and stops
   * automation. Null when no edge answers: nothing was done. Where no engine runs, what would move nothing is refused; one
   * that only does not answer may have a deployment in validation, which the order stops.
   */
  rollBack(services: readonly string[] | undefined, isEngineThere: boolean): Promise<RollbackOutcome[] | null>
  /** What such a rollback would move, as far as the edge can tell. Null when no edge answers. */
  waysBack(): Promise<ServiceWayBack[] | null>
}

/**
 * The edge of the first of these data directories that has one. It is looked for at once, and asked for what it sends
 * where; nothing is changed by that.
 */
export function edgeAmong(directories: readonly string[], service: string | undefined): EdgeWay {
  const clients = directories.map((directory) => edgeClient(edgeDirectory(directory), edgeWithinMs))
  const found = Promise.all(clients.map((edge) => look(edge, service)))
  return {
    denies: async (name) => {
      const seen = (await found).find((each) => each !== null)
      return seen?.get(name)?.isUnknown ?? false
    },
    rollBack: async (services, isEngineThere) => {
      const looks = await found
      const index = looks.findIndex((each) => each !== null)
      const [edge, seen] = [clients[index], looks[index]]
      return edge && seen ? order(edge, seen, services, isEngineThere) : null
    },
    waysBack: async () => {
      const seen = (await found).find((each) => each !== null)
      return seen
        ? waysBack([...seen].map(([name, each]) => ({ name, environment: '', wayBack: wayBackAt(each) })))
        : null
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((edge) => edge[Symbol.asyncDispose]()))
    },
  }
}

/** What the edge has of the service, or of all; null when none answers. One that is slow may still take an order by name. */
async function look(edge: EdgeClient, service: string | undefined): Promise<Map<string, Seen> | null> {
  const status = await edge.call('status', {})
  if (!status.ok) return status.error.code === 'TIMEOUT' && service !== undefined ? new Map() : null
  const names = service === undefined ? status.value.services.map(({ name }) => name) : [service]
  const seen = await Promise.all(
    names.map(async (name): Promise<[string, Seen]> => {
      const [weights, observed] = await Promise.all([
        edge.call('weights', { service: name }),
        edge.call('observe', { service: name }),
      ])
      const report = weights.ok ? weights.value : null
      const isUnknown = !weights.ok && weights.error.code === 'NOT_FOUND'
      return [name, { isUnknown, report, running: observed.ok ? observed.value : null }]
    }),
  )
  return new Map(seen)
}

/** Who runs this command, as the local system knows; empty where it does not. */
function localUser(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}

async function order(
  edge: EdgeClient,
  seen: ReadonlyMap<string, Seen>,
  services: readonly string[] | undefined,
  isEngineThere: boolean,
): Promise<RollbackOutcome[]> {
  const startedAt = performance.now()
  const names = services ?? [...seen].flatMap(([name, each]) => (candidateOf(each) === null ? [] : [name]))
  const key = localOrderKey(`emergency:${randomUUID()}`, localUser())
  const isAlone = (name: string) => !isEngineThere && aloneAt(seen.get(name)) !== null
  const ordered = names.filter((name) => !isAlone(name))
  const answer = await edge.call('emergency', {
    orders: ordered.map((name) => ({ service: name, key: `${name}:${key}` })),
  })
  const tookMs = performance.now() - startedAt
  return names.map((name): RollbackOutcome => {
    const one = answer.ok ? answer.value[ordered.indexOf(name)] : undefined
    const before = seen.get(name)
    const outcome = { service: name, fromReleaseId: before ? candidateOf(before) : null, tookMs }
    const refused = (code: RollbackOutcome['code'], text: string) => ({
      ...outcome,
      ok: false,
      releaseId: null,
      code,
      text,
    })
    if (isAlone(name))
      return refused(
        'CONFLICT',
        `No change: ${aloneAt(before)} already had all traffic of ${name}. A deployment in validation continues when an engine is running again`,
      )
    if (!answer.ok) return refused(answer.error.code, answer.error.message)
    if (!one) return refused('UNAVAILABLE', `The edge did not answer for ${name}`)
    if (!one.ok) return refused(one.code, one.message)
    const { fallbackReleaseId: releaseId, weights } = one.value
    if (releaseId === null || weightOf(weights, releaseId) !== 100)
      return refused('UNAVAILABLE', `The edge still splits traffic of ${name}: ${JSON.stringify(weights)}`)
    const kept = one.isKept ? '' : '. The edge cannot save this to disk: it is lost if the edge restarts'
    return {
      ...outcome,
      ok: true,
      releaseId,
      text: `All traffic of ${name} goes to ${releaseId}, verified${kept}`,
    }
  })
}

/**
 * The release that has all traffic while no other one runs, so that an emergency would change nothing; null where there
 * is another one, and where the edge did not tell.
 */
function aloneAt(seen: Seen | undefined): string | null {
  if (!seen?.report || !seen.running) return null
  const { weights, fallbackReleaseId } = seen.report
  const [alone] = Object.keys(weights).filter((id) => weightOf(weights, id) === 100)
  const isElsewhere = fallbackReleaseId !== null && fallbackReleaseId !== alone
  if (alone === undefined || isElsewhere) return null
  const others = Object.entries(seen.running.wanted).filter(([id, count]) => id !== alone && count > 0)
  return others.length === 0 ? alone : null
}

/** As the engine would offer it; which deployment it is of, only the engine knows. */
function wayBackAt(seen: Seen): WayBack | null {
  const from = candidateOf(seen)
  const to = seen.report?.fallbackReleaseId ?? null
  if (!seen.report || from === null || to === null) return null
  const weight = weightOf(seen.report.weights, from)
  const text =
    weight > 0
      ? `${from} has ${weightText(weight)} of traffic at the edge: all of it returns to ${to} at once`
      : `${from} has no traffic at the edge yet: its deployment stops`
  return { kind: weight > 0 ? 'shift' : 'stop', from, to, weight, deploymentId: null, text }
}

/** The release beside the one that an emergency sends all traffic to: it has traffic, or instances that may get some. */
function candidateOf({ report, running }: Seen): string | null {
  const to = report?.fallbackReleaseId ?? null
  if (!report || to === null) return null
  const routed = Object.entries(report.weights).find(([id, weight]) => id !== to && weight > 0)
  const started = Object.entries(running?.wanted ?? {}).find(([id, count]) => id !== to && count > 0)
  return routed?.[0] ?? started?.[0] ?? null
}
