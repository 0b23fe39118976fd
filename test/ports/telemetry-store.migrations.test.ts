import Sqlite from 'better-sqlite3'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/adapters/stores/telemetry/database.ts'
import type { TelemetryMigration } from '../../src/adapters/stores/telemetry/migrate.ts'
import { migrations } from '../../src/adapters/stores/telemetry/migrations/index.ts'

const nowMs = Date.UTC(2026, 10, 30)
let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-telemetry-schema-'))
  file = join(directory, 'telemetry.sqlite')
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const later: TelemetryMigration = {
  version: 9010,
  name: 'notes',
  up: (database) => database.exec("ALTER TABLE host ADD COLUMN note TEXT NOT NULL DEFAULT 'none'"),
}

function ask(sql: string): unknown[] {
  const database = new Sqlite(file, { readonly: true })
  try {
    return database.prepare(sql).raw().all()
  } finally {
    database.close()
  }
}

describe('the schema of the telemetry database', () => {
  beforeEach(() => {
    const { db } = openDatabase(file, nowMs)
    db.prepare('INSERT INTO host (name) VALUES (?)').run('local')
    db.close()
  })

  it('takes a file of an earlier version to the newest one and keeps what is in it', () => {
    openDatabase(file, nowMs, [...migrations, later]).db.close()
    expect(ask('SELECT name, note FROM host')).toEqual([['local', 'none']])
    expect(ask('PRAGMA user_version')).toEqual([[9010]])
    // And once only.
    expect(openDatabase(file, nowMs, [...migrations, later]).notice).toBe('')
  })

  it('takes all pending steps or none', () => {
    const failing: TelemetryMigration = {
      version: 9020,
      name: 'failing',
      up() {
        throw new Error('the step fails')
      },
    }
    expect(() => openDatabase(file, nowMs, [...migrations, later, failing])).toThrow('the step fails')
    expect(ask('PRAGMA user_version')).toEqual([[1]])
    expect(ask('SELECT * FROM host')).toEqual([[1, 'local']])
  })

  it('is refused by a program that lacks one of its steps, and left as it is', () => {
    openDatabase(file, nowMs, [...migrations, later]).db.close()
    expect(() => openDatabase(file, nowMs)).toThrow(
      `${file} has schema step 9010; this Pilothouse knows up to 1.`,
    )
    expect(ask('SELECT name, note FROM host')).toEqual([['local', 'none']])
  })

  it('is begun anew beside a file whose blocks have a form that is not read any more', () => {
    const database = new Sqlite(file)
    database.exec('ALTER TABLE chunk DROP COLUMN last')
    database.close()
    const { db, notice } = openDatabase(file, nowMs)
    expect(notice).toContain('was moved to')
    expect(db.prepare('SELECT count(*) FROM host').pluck().get()).toBe(0)
    db.close()
    expect(readdirSync(directory).filter((name) => name.includes('.damaged-'))).toHaveLength(1)
  })
})
