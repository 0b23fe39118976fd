import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { EdgeClient } from '../../../adapters/targets/edge/index.ts'
import type { EdgeOutput, EdgeReport, RollbackOutcome } from '../../../contract/index.ts'
import type { AppError } from '../../../engine/core/index.ts'
import { edgeDirectory, edgeSocketPath } from '../../edge/index.ts'
import { dataDirectories } from './data-directories.ts'
import { showOutcomes } from './rollback.ts'
import type { SessionRequest } from './session.ts'

/**
 * The emergency rollback while no engine answers: straight to the embedded platform of this data directory, which keeps
 * where an emergency sends each service. An engine that comes back finds the emergency at the router, ends the
 * deployment and stops automation. Null when there is no such platform here: nothing was done.
 *
 * @param service - undefined is every service that splits its traffic
 */
export async function rollbackAtEdge(
  service: string | undefined,
  request: SessionRequest,
  why: AppError,
): Promise<number | null> {
  const { config } = request
  // An engine elsewhere has its router elsewhere.
  if (config.system.variables['PILOTHOUSE_URL']) return null
  const directories = await dataDirectories(config)
  for (const directory of directories.ok ? directories.value : []) {
    await using edge = new EdgeClient({ socketPath: edgeSocketPath(edgeDirectory(directory)) })
    const status = await edge.call('status', {})
    if (status.ok) return await rollBack(edge, status.value, service, request, why)
  }
  return null
}

async function rollBack(
  edge: EdgeClient,
  { services }: EdgeOutput<'status'>,
  service: string | undefined,
  request: SessionRequest,
  why: AppError,
): Promise<number> {
  request.err.write(
    `${why.message}\nThe order goes to the router itself; automation stops when an engine is back.\n`,
  )

  const startedAt = performance.now()
  const names = service === undefined ? services.map(({ name }) => name) : [service]
  const before = await Promise.all(names.map((name) => edge.call('weights', { service: name })))
  const ways = names.map((name, i) => ({ name, report: before[i]?.ok ? before[i].value : null }))
  const ordered = service === undefined ? ways.filter(({ report }) => report && isSplit(report)) : ways
  const key = `emergency:${randomUUID()}`
  const answer = await edge.call('emergency', {
    orders: ordered.map(({ name }) => ({ service: name, key: `${name}:${key}` })),
  })
  const tookMs = performance.now() - startedAt
  const outcomes = ordered.map(({ name, report }, i): RollbackOutcome => {
    const one = answer.ok ? answer.value[i] : undefined
    const fromReleaseId = report && candidateOf(report)
    if (!one?.ok) {
      const text =
        one?.message ?? (answer.ok ? `The router did not answer for ${name}` : answer.error.message)
      return { service: name, ok: false, releaseId: null, fromReleaseId, tookMs, text }
    }
    const { fallbackReleaseId: releaseId, weights } = one.value
    const ok = releaseId !== null && weights[releaseId] === 100
    const text = ok
      ? `All traffic of ${name} goes to ${releaseId}, verified${one.isKept ? '' : '. The router cannot write it to its disk: it holds until the router restarts'}`
      : `The router still splits the traffic of ${name}: ${JSON.stringify(weights)}`
    return { service: name, ok, releaseId, fromReleaseId, tookMs, text }
  })
  return showOutcomes(outcomes, request)
}

/** Something else than the way back has traffic. */
const isSplit = (report: EdgeReport): boolean => candidateOf(report) !== null

function candidateOf({ weights, fallbackReleaseId }: EdgeReport): string | null {
  if (fallbackReleaseId === null) return null
  const other = Object.entries(weights).find(([id, weight]) => id !== fallbackReleaseId && weight > 0)
  return other?.[0] ?? null
}
