import type { Kysely } from 'kysely'
import { hostname } from 'node:os'
import { AppError, type Clock } from '../../../base/index.ts'
import { fullDateTime } from '../../../contract/index.ts'
import type { Writing } from './access.ts'
import type { Tables } from './tables.ts'

/** Three heartbeats may fail before another engine takes over. */
const validMs = 30_000
export const heartbeatEveryMs = 10_000

/** The engine that a lease belongs to. */
export interface LeaseHolder {
  host: string
  pid: number
}

export const thisProcess = (): LeaseHolder => ({ host: hostname(), pid: process.pid })

export interface LeaseOptions {
  /** For messages. */
  file: string
  clock: Clock
  holder: LeaseHolder
  /** This process holds a lock that the kernel drops with its process, so whoever had the lease before is gone. */
  hasFileLock: boolean
}

/**
 * Leadership: the right to write to the state database, as its one row in `lease`. It has an owner, a heartbeat, an expiry
 * and a fencing token that grows with each owner. Every commit checks the token in its own transaction: an engine that was
 * suspended and taken over from meanwhile stores nothing more, whatever its clock says.
 *
 * A lease is taken over when it was released or has expired; and at once, however fresh it is, when its owner is known to be
 * dead: this process has the lock of the database file (a killed engine drops it), or the owner ran on this machine and its
 * process is gone. A killed engine therefore never delays its own restart.
 */
export class Lease {
  readonly #query: Kysely<Tables>
  readonly #options: LeaseOptions
  readonly #token: number

  private constructor(query: Kysely<Tables>, options: LeaseOptions, token: number) {
    this.#query = query
    this.#options = options
    this.#token = token
  }

  /** Throws STORE_BUSY, naming the owner, while another engine has the lease. */
  static take(query: Kysely<Tables>, options: LeaseOptions): Promise<Lease> {
    const { file, clock, holder, hasFileLock } = options
    return query.transaction().execute(async (transaction) => {
      const nowMs = Math.round(clock.nowMs())
      const before = await transaction.selectFrom('lease').selectAll().executeTakeFirst()
      if (before && before.expires_at_ms > nowMs && !hasFileLock) {
        const owner = { host: before.owner_host, pid: before.owner_pid }
        if (!isDead(owner, holder))
          throw new AppError('STORE_BUSY', heldText(file, { ...owner, sinceMs: before.taken_at_ms }), {
            details: { file, ...owner, expiresAtMs: before.expires_at_ms },
          })
      }
      const row = {
        owner_host: holder.host,
        owner_pid: holder.pid,
        token: (before?.token ?? 0) + 1,
        taken_at_ms: nowMs,
        heartbeat_at_ms: nowMs,
        expires_at_ms: nowMs + validMs,
      }
      await transaction
        .insertInto('lease')
        .values({ id: 1, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute()
      return new Lease(query, options, row.token)
    })
  }

  /** Throws STORE_BUSY when another engine has taken over. To be called in each transaction that writes. */
  async check(transaction: Writing): Promise<void> {
    const row = await transaction.selectFrom('lease').selectAll().executeTakeFirst()
    if (row?.token === this.#token) return
    const owner = row ? `process ${row.owner_pid} on ${row.owner_host}` : 'another program'
    throw new AppError(
      'STORE_BUSY',
      `${this.#options.file} was taken over by ${owner}: this engine stores nothing any more. Stop one of the two engines.`,
      { details: { file: this.#options.file } },
    )
  }

  /** A heartbeat: the lease is valid from now on again. Fails as `check` does. */
  async renew(): Promise<void> {
    const nowMs = Math.round(this.#options.clock.nowMs())
    await this.#change({ heartbeat_at_ms: nowMs, expires_at_ms: nowMs + validMs })
  }

  /** Lets another engine take over at once. */
  release(): Promise<void> {
    return this.#change({ expires_at_ms: 0 })
  }

  #change(change: { heartbeat_at_ms?: number; expires_at_ms: number }): Promise<void> {
    return this.#query.transaction().execute(async (transaction) => {
      await this.check(transaction)
      await transaction.updateTable('lease').set(change).where('token', '=', this.#token).execute()
    })
  }
}

/** Who holds `file`, since when, and what to do about it. */
export const heldText = (file: string, { host, pid, sinceMs }: LeaseHolder & { sinceMs: number }): string =>
  `${file} is in use by another Pilothouse engine: process ${pid} on ${host}, since ${fullDateTime(sinceMs)}. ` +
  'Stop that engine, or start this one with another data directory (--data-dir).'

/** Only of this machine is it known which processes there are. */
function isDead(owner: LeaseHolder, { host }: LeaseHolder): boolean {
  if (owner.host !== host) return false
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (failure) {
    return (failure as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
