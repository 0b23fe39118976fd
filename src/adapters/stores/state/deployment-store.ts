import type { Insertable, Kysely, Selectable, Transaction } from 'kysely'
import { AppError, type Result } from '../../../base/index.ts'
import { type AuditEntry, type Bin, type Deployment, type Release } from '../../../contract/index.ts'
import {
  canonicalJson,
  chainStart,
  link,
  type AuditDraft,
  type AuditFilter,
  type ChainEnd,
  type NotedEnd,
} from '../../../engine/audit/index.ts'
import type {
  Commit,
  Declaration,
  DeploymentFilter,
  DeploymentStore,
  EvidenceCommit,
  OpenDeployment,
  ServiceRecord,
  StoredEvent,
} from '../../../engine/deployments/index.ts'
import { readKeys, recordedKeys, vouchStartOf, writeKeys } from './audit-keys.ts'
import type { AuditSeal } from './audit-seal.ts'
import type { Tables } from './tables.ts'

/** Runs a query and turns what SQLite throws into our failures. */
export interface Guarded {
  query: Kysely<Tables>
  read: <T>(run: () => Promise<T>) => Promise<Result<T>>
  write: (run: () => Promise<void>) => Promise<Result<void>>
  seal: AuditSeal | null
}

/** Deployments in the state database; it is closed by whoever opened it. */
export class SqliteDeploymentStore implements DeploymentStore {
  readonly #database: Guarded

  constructor(database: Guarded) {
    this.#database = database
  }

  commit(commit: Commit): Promise<Result<void>> {
    const { seal } = this.#database
    return this.#database.write(async () => {
      const end = await this.#database.query.transaction().execute(async (transaction) => {
        await insertEvents(transaction, commit.events)
        for (const deployment of commit.deployments) await putDeployment(transaction, deployment)
        for (const service of commit.services) await putService(transaction, service)
        for (const release of commit.releases) await addRelease(transaction, release)
        for (const evidence of commit.evidence) await addEvidence(transaction, evidence)
        for (const declaration of commit.declarations ?? []) await putDeclaration(transaction, declaration)
        for (const service of commit.undeclared ?? [])
          await transaction.deleteFrom('declarations').where('service', '=', service).execute()
        return addAudit(transaction, commit.audit, seal)
      })
      if (end) seal?.note(end)
    })
  }

  services(): Promise<Result<ServiceRecord[]>> {
    return this.#database.read(async () => {
      const rows = await this.#database.query.selectFrom('services').selectAll().orderBy('name').execute()
      return rows.map((row) => ({
        name: row.name,
        stableReleaseId: row.stable_release_id,
        instances: row.instances,
        automationStopped:
          row.automation_stopped === null
            ? null
            : (JSON.parse(row.automation_stopped) as ServiceRecord['automationStopped']),
        scaling: row.scaling === null ? null : (JSON.parse(row.scaling) as ServiceRecord['scaling']),
        revision: row.revision,
      }))
    })
  }

  declarations(): Promise<Result<Declaration[]>> {
    return this.#database.read(async () => {
      const rows = await this.#database.query
        .selectFrom('declarations')
        .selectAll()
        .orderBy('service')
        .execute()
      return rows.map((row) => ({
        service: row.service,
        written: JSON.parse(row.written) as Declaration['written'],
        by: row.declared_by,
        atMs: row.at_ms,
        revision: row.revision,
        isLeaving: row.is_leaving === 1,
      }))
    })
  }

  open(): Promise<Result<OpenDeployment[]>> {
    return this.#database.read(async () => {
      const rows = await this.#database.query
        .selectFrom('deployments')
        .leftJoin('judge_states', 'judge_states.deployment_id', 'deployments.id')
        .select(['deployments.id', 'judge_states.memory', 'judge_states.cursor'])
        .where('ended_at_ms', 'is', null)
        .orderBy('deployments.seq')
        .execute()
      return Promise.all(
        rows.map(async ({ id, memory, cursor }) => ({
          events: await this.#eventsOf(id),
          memory: memory === null ? null : (JSON.parse(memory) as OpenDeployment['memory']),
          cursor,
        })),
      )
    })
  }

  events(deploymentId: string): Promise<Result<StoredEvent[]>> {
    return this.#database.read(() => this.#eventsOf(deploymentId))
  }

  deployment(id: string): Promise<Result<Deployment>> {
    return this.#database.read(async () => {
      const row = await this.#database.query
        .selectFrom('deployments')
        .select('body')
        .where('id', '=', id)
        .executeTakeFirst()
      if (!row) throw new AppError('NOT_FOUND', `There is no deployment "${id}".`, { details: { id } })
      return JSON.parse(row.body) as Deployment
    })
  }

  deployments(filter: DeploymentFilter): Promise<Result<Deployment[]>> {
    return this.#database.read(async () => {
      const { service, phases, releaseId, createdBy, text, fromMs, toMs, limit, beforeId } = filter
      let query = this.#database.query.selectFrom('deployments').select('body')
      if (service !== undefined) query = query.where('service', '=', service)
      if (phases !== undefined) query = query.where('phase', 'in', phases)
      if (createdBy !== undefined) query = query.where('created_by', '=', createdBy)
      if (fromMs !== undefined) query = query.where('created_at_ms', '>=', fromMs)
      if (toMs !== undefined) query = query.where('created_at_ms', '<', toMs)
      if (releaseId !== undefined)
        query = query.where((eb) =>
          eb.or([eb('candidate_release_id', '=', releaseId), eb('stable_release_id', '=', releaseId)]),
        )
      if (text !== undefined)
        query = query.where((eb) =>
          eb.or(
            (['service', 'candidate_release_id', 'stable_release_id', 'reason', 'why'] as const).map(
              (column) => eb(eb.fn('instr', [eb.fn('lower', [column]), eb.val(text.toLowerCase())]), '>', 0),
            ),
          ),
        )
      if (beforeId !== undefined)
        query = query.where('seq', '<', (eb) =>
          eb.selectFrom('deployments').select('seq').where('id', '=', beforeId),
        )
      const rows = await query.orderBy('seq', 'desc').limit(limit).execute()
      return rows.map(({ body }) => JSON.parse(body) as Deployment)
    })
  }

  release(service: string, id: string): Promise<Result<Release>> {
    return this.#database.read(async () => {
      const row = await this.#database.query
        .selectFrom('releases')
        .select('body')
        .where('service', '=', service)
        .where('id', '=', id)
        .executeTakeFirst()
      if (!row)
        throw new AppError('NOT_FOUND', `${service} has no release "${id}".`, { details: { service, id } })
      return JSON.parse(row.body) as Release
    })
  }

  releases(service: string, limit: number): Promise<Result<Release[]>> {
    return this.#database.read(async () => {
      const rows = await this.#database.query
        .selectFrom('releases')
        .select('body')
        .where('service', '=', service)
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ body }) => JSON.parse(body) as Release)
    })
  }

  bins(deploymentId: string): Promise<Result<Bin[]>> {
    return this.#database.read(async () => {
      const rows = await this.#database.query
        .selectFrom('evidence_bins')
        .select('body')
        .where('deployment_id', '=', deploymentId)
        .orderBy('at_ms')
        .orderBy('release_id')
        .execute()
      return rows.map(({ body }) => JSON.parse(body) as Bin)
    })
  }

  keepTraffic(service: string, minutes: readonly Bin[], fromMs: number): Promise<Result<void>> {
    return this.#database.write(() =>
      this.#database.query.transaction().execute(async (transaction) => {
        for (const bin of minutes) {
          const body = JSON.stringify(bin)
          await transaction
            .insertInto('service_traffic')
            .values({ service, at_ms: Math.round(bin.atMs), release_id: bin.releaseId, body })
            .onConflict((conflict) =>
              conflict.columns(['service', 'at_ms', 'release_id']).doUpdateSet({ body }),
            )
            .execute()
        }
        await transaction.deleteFrom('service_traffic').where('at_ms', '<', Math.round(fromMs)).execute()
      }),
    )
  }

  traffic(service: string): Promise<Result<Bin[]>> {
    return this.#database.read(async () => {
      const rows = await this.#database.query
        .selectFrom('service_traffic')
        .select('body')
        .where('service', '=', service)
        .orderBy('at_ms')
        .orderBy('release_id')
        .execute()
      return rows.map(({ body }) => JSON.parse(body) as Bin)
    })
  }

  audit(filter: AuditFilter): Promise<Result<AuditEntry[]>> {
    return this.#database.read(async () => {
      const { actor, target, text, fromMs, toMs, limit, beforeSeq } = filter
      let query = this.#database.query.selectFrom('audit').selectAll()
      if (actor !== undefined) query = query.where('actor', '=', actor)
      if (target !== undefined) query = query.where('target', '=', target)
      if (text !== undefined)
        query = query.where((eb) =>
          eb.or(
            (['actor', 'action', 'target', 'why', 'details'] as const).map((column) =>
              eb(eb.fn('instr', [eb.fn('lower', [column]), eb.val(text.toLowerCase())]), '>', 0),
            ),
          ),
        )
      if (fromMs !== undefined) query = query.where('at_ms', '>=', fromMs)
      if (toMs !== undefined) query = query.where('at_ms', '<', toMs)
      if (beforeSeq !== undefined) query = query.where('seq', '<', beforeSeq)
      return (await query.orderBy('seq', 'desc').limit(limit).execute()).map(auditEntry)
    })
  }

  auditFrom(fromSeq: number, limit: number): Promise<Result<AuditEntry[]>> {
    return this.#database.read(async () => {
      const rows = await this.#database.query
        .selectFrom('audit')
        .selectAll()
        .where('seq', '>=', fromSeq)
        .orderBy('seq')
        .limit(limit)
        .execute()
      return rows.map(auditEntry)
    })
  }

  /** Nothing of its own: the database belongs to the state store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve()
  }

  auditEnd(): Promise<Result<NotedEnd>> {
    const { query, seal } = this.#database
    return this.#database.read(async () => {
      const noted = await notedEnd(query)
      if (!seal) return { seq: noted.seq, hash: noted.hash }
      return {
        seq: noted.seq,
        hash: noted.hash,
        anchor: seal.anchor,
        seal: seal.isNew ? ('none' as const) : sealState(noted, seal),
        vouchesFrom: vouchStartOf(await readKeys(query)),
        sealOf: (end: ChainEnd) => seal.of(end),
      }
    })
  }

  async #eventsOf(deploymentId: string): Promise<StoredEvent[]> {
    const rows = await this.#database.query
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
      event: JSON.parse(row.event) as StoredEvent['event'],
    }))
  }
}

type Writing = Transaction<Tables>

async function insertEvents(transaction: Writing, events: readonly StoredEvent[]): Promise<void> {
  for (const { deploymentId, seq, atMs, elapsedMs, event } of events) {
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
      if (!isTaken(thrown)) throw thrown
      throw new AppError(
        'CONFLICT',
        `Event ${seq} of ${deploymentId} is on record already: another engine writes to this database.`,
        { cause: thrown, details: { deploymentId, seq } },
      )
    }
  }
}

async function putDeployment(transaction: Writing, deployment: Deployment): Promise<void> {
  const row: Insertable<Tables['deployments']> = {
    id: deployment.id,
    service: deployment.service,
    phase: deployment.phase,
    stable_release_id: deployment.stableReleaseId,
    candidate_release_id: deployment.candidateReleaseId,
    created_by: deployment.createdBy,
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

async function putService(transaction: Writing, service: ServiceRecord): Promise<void> {
  const { name, stableReleaseId, instances, automationStopped, scaling, revision } = service
  const changes = {
    stable_release_id: stableReleaseId,
    instances,
    automation_stopped: automationStopped && JSON.stringify(automationStopped),
    scaling: scaling && JSON.stringify(scaling),
    revision,
  }
  const { numInsertedOrUpdatedRows: count } = await transaction
    .insertInto('services')
    .values({ name, ...changes })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet(changes).where('services.revision', '<', revision),
    )
    .executeTakeFirstOrThrow()
  if (count === 0n)
    throw new AppError(
      'CONFLICT',
      `${name} is on record at revision ${revision} or later: it was changed by somebody else in between.`,
      { details: { service: name, revision } },
    )
}

async function putDeclaration(transaction: Writing, declaration: Declaration): Promise<void> {
  const { service, written, by, atMs, revision, isLeaving } = declaration
  const changes = {
    written: JSON.stringify(written),
    declared_by: by,
    at_ms: Math.round(atMs),
    revision,
    is_leaving: isLeaving ? 1 : 0,
  }
  await transaction
    .insertInto('declarations')
    .values({ service, ...changes })
    .onConflict((conflict) => conflict.column('service').doUpdateSet(changes))
    .execute()
}

/** The same release twice is fine; another one under its name is not. */
async function addRelease(transaction: Writing, release: Release): Promise<void> {
  const { service, id } = release
  const kept = await transaction
    .selectFrom('releases')
    .select('body')
    .where('service', '=', service)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!kept) {
    await transaction
      .insertInto('releases')
      .values({ service, id, body: JSON.stringify(release) })
      .execute()
    return
  }
  const contentOf = ({ artifact, parameters }: Release) => canonicalJson({ artifact, parameters })
  if (contentOf(JSON.parse(kept.body) as Release) !== contentOf(release))
    throw new AppError(
      'CONFLICT',
      `${service} has a release "${id}" already, with other content: releases never change. Choose another name.`,
      { details: { service, id } },
    )
}

async function addEvidence(transaction: Writing, evidence: EvidenceCommit): Promise<void> {
  const { deploymentId, bins, memory, cursor } = evidence
  for (const bin of bins) {
    await transaction
      .insertInto('evidence_bins')
      .values({
        deployment_id: deploymentId,
        at_ms: Math.round(bin.atMs),
        release_id: bin.releaseId,
        body: JSON.stringify(bin),
      })
      // A bin that is read again after a crash is the same bin, at most fuller.
      .onConflict((conflict) =>
        conflict.columns(['deployment_id', 'at_ms', 'release_id']).doUpdateSet({ body: JSON.stringify(bin) }),
      )
      .execute()
  }
  const state = { memory: JSON.stringify(memory), cursor }
  await transaction
    .insertInto('judge_states')
    .values({ deployment_id: deploymentId, ...state })
    .onConflict((conflict) => conflict.column('deployment_id').doUpdateSet(state))
    .execute()
}

/** Adds entries after the last one. Gives the new end when it was sealed. */
async function addAudit(
  transaction: Writing,
  drafts: readonly AuditDraft[],
  seal: AuditSeal | null,
): Promise<ChainEnd | null> {
  if (drafts.length === 0) return null
  const last = await lastEntry(transaction)
  const noted = await notedEnd(transaction)
  // A log that was tampered with is never sealed again: what follows would vouch for it.
  const isTrusted = seal !== null && (await isAsNoted(transaction, noted, seal))
  // Where entries were taken off the end, a gap stays for whoever verifies.
  let end = [noted, seal?.anchor ?? chainStart].reduce<ChainEnd>(
    (latest, each) => (each.seq > latest.seq ? each : latest),
    last,
  )
  for (const draft of drafts) {
    const entry = link(end, { ...draft, atMs: Math.round(draft.atMs) })
    await transaction
      .insertInto('audit')
      .values({
        seq: entry.seq,
        at_ms: entry.atMs,
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        why: entry.why,
        details: JSON.stringify(entry.details),
        previous_hash: entry.previousHash,
        hash: entry.hash,
      })
      .execute()
    end = entry
  }
  const row = { seq: end.seq, hash: end.hash, seal: isTrusted ? seal.of(end) : '' }
  await transaction
    .insertInto('audit_end')
    .values({ id: 1, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
  return isTrusted ? end : null
}

/** Whether the log goes on from where it was known to end: sealed by this key, with the entry of the anchor in it. */
async function isAsNoted(transaction: Writing, noted: SealedEnd, seal: AuditSeal): Promise<boolean> {
  const { anchor, isNew } = seal
  if (!isNew && sealState(noted, seal) !== 'valid') return false
  if (anchor === null) return false
  if (anchor.seq === 0) return true
  const found = await transaction
    .selectFrom('audit')
    .select('hash')
    .where('seq', '=', anchor.seq)
    .executeTakeFirst()
  return found?.hash === anchor.hash
}

/**
 * Puts the key of this start on record, with the entry from which it seals. `wasUsed` is that the data directory is not
 * new, whatever the database says.
 */
export async function recordKey(database: Kysely<Tables>, seal: AuditSeal, wasUsed: boolean): Promise<void> {
  const known = await readKeys(database)
  const launch = await database.selectFrom('launches').select('seq').limit(1).executeTakeFirst()
  const noted = await notedEnd(database)
  const ends = [await lastEntry(database), noted, seal.anchor ?? chainStart]
  const { fingerprint, isNew } = seal
  const present = { fingerprint, isNew, isOfSeal: noted.seal === seal.of(noted) }
  const nextSeq = Math.max(...ends.map(({ seq }) => seq)) + 1
  const keys = recordedKeys(known, present, { wasUsed: wasUsed || launch !== undefined, nextSeq })
  if (keys !== known) await writeKeys(database, keys)
}

/** Nothing needs a seal before the first entry. */
function sealState(noted: SealedEnd, seal: AuditSeal): 'valid' | 'broken' {
  const isUnused = noted.seq === 0 && seal.anchor?.seq === 0
  return seal.anchor !== null && (isUnused || noted.seal === seal.of(noted)) ? 'valid' : 'broken'
}

const lastEntry = async (database: Kysely<Tables>): Promise<ChainEnd> =>
  (await database
    .selectFrom('audit')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()) ?? chainStart

type SealedEnd = ChainEnd & { seal: string }

const notedEnd = async (database: Kysely<Tables>): Promise<SealedEnd> =>
  (await database.selectFrom('audit_end').select(['seq', 'hash', 'seal']).executeTakeFirst()) ?? {
    ...chainStart,
    seal: '',
  }

/** What somebody has made unreadable shows as changed when it is verified, and keeps nobody from the rest. */
function detailsOf(text: string): AuditEntry['details'] {
  try {
    return JSON.parse(text) as AuditEntry['details']
  } catch {
    return { unreadable: text }
  }
}

const auditEntry = (row: Selectable<Tables['audit']>): AuditEntry => ({
  seq: row.seq,
  atMs: row.at_ms,
  actor: row.actor,
  action: row.action,
  target: row.target,
  why: row.why,
  details: detailsOf(row.details),
  previousHash: row.previous_hash,
  hash: row.hash,
})

const isTaken = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  'code' in thrown &&
  (thrown.code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || thrown.code === 'SQLITE_CONSTRAINT_UNIQUE')
