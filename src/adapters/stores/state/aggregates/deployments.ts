import type { Insertable, Kysely } from 'kysely'
import { AppError } from '../../../../base/index.ts'
import { notFoundText, type Deployment } from '../../../../contract/index.ts'
import type {
  DeploymentChange,
  DeploymentStore,
  OpenDeployment,
  StoredEvent,
} from '../../../../engine/deployments/index.ts'
import type { Access, Participant, Writing } from '../access.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { readDoneBy, storedActor } from '../stored-actor.ts'
import type { Tables } from '../tables.ts'

/** What a text is looked for in. */
const searchedColumns = ['service', 'candidate_release_id', 'stable_release_id', 'reason', 'why'] as const

export const deploymentStore = ({ query, dialect, run }: Access): DeploymentStore => ({
  openOf: (service) =>
    run(async () => {
      const rows = await query
        .selectFrom('deployments')
        .leftJoin('judge_states', 'judge_states.deployment_id', 'deployments.id')
        .select(['deployments.id', 'judge_states.memory', 'judge_states.cursor'])
        .where('service', '=', service)
        .where('ended_at_ms', 'is', null)
        .orderBy('deployments.seq')
        .execute()
      return Promise.all(
        rows.map(async ({ id, memory, cursor }) => ({
          events: await eventsOf(query, id),
          memory: memory === null ? null : (JSON.parse(memory) as OpenDeployment['memory']),
          cursor,
        })),
      )
    }),
  eventsOf: (deploymentId) => run(() => eventsOf(query, deploymentId)),
  find: (id) =>
    run(async () => {
      const row = await query.selectFrom('deployments').select('body').where('id', '=', id).executeTakeFirst()
      if (!row) throw new AppError('NOT_FOUND', notFoundText('deployment', id), { details: { id } })
      return readDeployment(row.body)
    }),
  list: (filter) =>
    run(async () => {
      const { service, phases, releaseId, createdBy, text, fromMs, toMs, limit, beforeId } = filter
      let found = query.selectFrom('deployments').select('body')
      if (service !== undefined) found = found.where('service', '=', service)
      if (phases !== undefined) found = found.where('phase', 'in', phases)
      if (createdBy !== undefined) found = found.where('created_by', '=', createdBy)
      if (fromMs !== undefined) found = found.where('created_at_ms', '>=', fromMs)
      if (toMs !== undefined) found = found.where('created_at_ms', '<', toMs)
      if (releaseId !== undefined)
        found = found.where((eb) =>
          eb.or([eb('candidate_release_id', '=', releaseId), eb('stable_release_id', '=', releaseId)]),
        )
      if (text !== undefined)
        found = found.where((eb) =>
          eb.or(searchedColumns.map((column) => dialect.contains(eb, column, text))),
        )
      if (beforeId !== undefined)
        found = found.where('seq', '<', (eb) =>
          eb.selectFrom('deployments').select('seq').where('id', '=', beforeId),
        )
      const rows = await found.orderBy('seq', 'desc').limit(limit).execute()
      return rows.map(({ body }) => readDeployment(body))
    }),
})

export const deploymentParticipant = (dialect: Dialect): Participant<DeploymentChange> => ({
  kinds: { addEvent: true, putDeployment: true },
  async apply(transaction, changes) {
    for (const change of changes)
      switch (change.kind) {
        case 'addEvent':
          await addEvent(transaction, change.event, dialect)
          break
        case 'putDeployment':
          await putDeployment(transaction, change.deployment)
      }
  },
})

function readDeployment(body: string): Deployment {
  const deployment = readDoneBy<Deployment>(body, 'createdBy')
  return {
    ...deployment,
    log: deployment.log.map((entry) => ({ ...entry, actor: storedActor(entry.actor) })),
  }
}

async function eventsOf(query: Kysely<Tables>, deploymentId: string): Promise<StoredEvent[]> {
  const rows = await query
    .selectFrom('deployment_events')
    .selectAll()
    .where('deployment_id', '=', deploymentId)
    .orderBy('seq')
    .execute()
  return rows.map((row) => ({
    deploymentId,
    seq: row.seq,
    atMs: row.at_ms,
    elapsedMs: row.elapsed_ms,
    event: readDoneBy<StoredEvent['event']>(row.event, 'by'),
  }))
}

async function addEvent(
  transaction: Writing,
  { deploymentId, seq, atMs, elapsedMs, event }: StoredEvent,
  dialect: Dialect,
): Promise<void> {
  try {
    await transaction
      .insertInto('deployment_events')
      .values({
        deployment_id: deploymentId,
        seq,
        at_ms: Math.round(atMs),
        elapsed_ms: elapsedMs,
        event: JSON.stringify(event),
      })
      .execute()
  } catch (thrown) {
    if (!dialect.isTaken(thrown)) throw thrown
    throw new AppError(
      'CONFLICT',
      `Event ${seq} of ${deploymentId} is already stored: another engine writes to this database.`,
      { cause: thrown, details: { deploymentId, seq } },
    )
  }
}

async function putDeployment(transaction: Writing, deployment: Deployment): Promise<void> {
  const row: Insertable<Tables['deployments']> = {
    id: deployment.id,
    service: deployment.service,
    phase: deployment.phase,
    stable_release_id: deployment.stableReleaseId,
    candidate_release_id: deployment.candidateReleaseId,
    created_by: deployment.createdBy.name,
    created_at_ms: Math.round(deployment.createdAtMs),
    ended_at_ms: deployment.endedAtMs === null ? null : Math.round(deployment.endedAtMs),
    reason: deployment.reason,
    why: deployment.why,
    body: JSON.stringify(deployment),
  }
  const { id: _id, ...changes } = row
  await transaction
    .insertInto('deployments')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changes))
    .execute()
}
