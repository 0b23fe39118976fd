import type { Series, Unit } from '../../../contract/index.ts'
import type { Precision } from './column.ts'
import type { SeriesKey } from '../../../engine/telemetry/index.ts'
import type { Database } from './database.ts'
import { assignGroups, labelText } from './grouping.ts'
import { precisionOf } from './precision.ts'

export interface StoredSeries {
  id: number
  hostId: number
  name: string
  labels: string
  unit: Unit
  group: number
}

/** Which hosts and series there are: the tables `host` and `series`, held in memory as well. */
export class Catalog {
  #hosts = new Map<string, number>()
  #series = new Map<number, StoredSeries>()
  #db: Database

  constructor(db: Database) {
    this.#db = db
    this.#load()
  }

  hostIdOf(name: string): number | undefined {
    return this.#hosts.get(name)
  }

  hostIds(): number[] {
    return [...this.#hosts.values()]
  }

  seriesOf(id: number): StoredSeries | undefined {
    return this.#series.get(id)
  }

  precisionOf(id: number): Precision | undefined {
    const series = this.#series.get(id)
    return series && precisionOf(series.unit)
  }

  groupCountOf(hostId: number): number {
    let count = 0
    for (const series of this.#series.values()) {
      if (series.hostId === hostId) count = Math.max(count, series.group + 1)
    }
    return count
  }

  /** Series for `keys`, in their order; what is not known yet is created, in one transaction. */
  register(hostName: string, keys: readonly SeriesKey[]): Series[] {
    const identity = (key: { name: string; labels: string; unit: string }) =>
      JSON.stringify([key.name, key.labels, key.unit])
    const wanted = keys.map((key) => ({ key, identity: identity({ ...key, labels: labelText(key.labels) }) }))
    const known = new Map<string, StoredSeries>()
    const hostId = this.#hosts.get(hostName)
    const ofHost = [...this.#series.values()].filter((series) => series.hostId === hostId)
    for (const series of ofHost) known.set(identity(series), series)
    const missing = new Map<string, SeriesKey>()
    for (const { key, identity } of wanted) if (!known.has(identity)) missing.set(identity, key)
    if (missing.size > 0 || hostId === undefined) {
      const beside = wanted.flatMap(({ identity }) => known.get(identity) ?? [])
      for (const series of this.#create(hostName, [...missing.values()], groupSizes(ofHost, beside))) {
        known.set(identity(series), series)
      }
    }
    return wanted.map(({ key, identity }) => {
      const series = known.get(identity)
      if (!series) throw new Error(`series ${key.name} was not created`)
      return { id: series.id, name: key.name, labels: key.labels, unit: key.unit }
    })
  }

  /** Writes everything into another, empty database: after the old one was lost, ids stay what they were. */
  moveTo(db: Database): void {
    db.transaction(() => {
      const putHost = db.prepare('INSERT INTO host (id, name) VALUES (?, ?)')
      for (const [name, id] of this.#hosts) putHost.run(id, name)
      const putSeries = db.prepare(
        'INSERT INTO series (id, host, name, labels, unit, grp) VALUES (:id, :hostId, :name, :labels, :unit, :group)',
      )
      for (const series of this.#series.values()) putSeries.run({ ...series })
    }).immediate()
    this.#db = db
  }

  #create(hostName: string, keys: readonly SeriesKey[], sizes: readonly number[]): StoredSeries[] {
    const created = this.#db
      .transaction(() => {
        this.#db.prepare('INSERT OR IGNORE INTO host (name) VALUES (?)').run(hostName)
        const hostId = this.#db.prepare('SELECT id FROM host WHERE name = ?').pluck().get(hostName) as number
        const put = this.#db.prepare(
          'INSERT INTO series (host, name, labels, unit, grp) VALUES (?, ?, ?, ?, ?)',
        )
        const groups = assignGroups(sizes, keys)
        const series = keys.map((key, i): StoredSeries => {
          const labels = labelText(key.labels)
          const group = groups[i] ?? 0
          const { lastInsertRowid } = put.run(hostId, key.name, labels, key.unit, group)
          return { id: Number(lastInsertRowid), hostId, name: key.name, labels, unit: key.unit, group }
        })
        return { hostId, series }
      })
      .immediate()
    // Only now, after the commit: a failed one must leave nothing behind here.
    this.#hosts.set(hostName, created.hostId)
    for (const series of created.series) this.#series.set(series.id, series)
    return created.series
  }

  #load(): void {
    for (const host of this.#db.prepare('SELECT id, name FROM host').all() as {
      id: number
      name: string
    }[]) {
      this.#hosts.set(host.name, host.id)
    }
    const rows = this.#db
      .prepare('SELECT id, host AS hostId, name, labels, unit, grp AS "group" FROM series')
      .all() as StoredSeries[]
    for (const row of rows) this.#series.set(row.id, row)
  }
}

/**
 * Sizes of a host's groups. New series may share the last group only with series they are registered beside, since
 * those come in the same rows; otherwise it counts as full.
 */
function groupSizes(ofHost: readonly StoredSeries[], beside: readonly StoredSeries[]): number[] {
  const sizes: number[] = []
  for (const { group } of ofHost) sizes[group] = (sizes[group] ?? 0) + 1
  const last = sizes.length - 1
  if (last >= 0 && !beside.some(({ group }) => group === last)) sizes.push(0)
  return Array.from(sizes, (size) => size ?? 0)
}
