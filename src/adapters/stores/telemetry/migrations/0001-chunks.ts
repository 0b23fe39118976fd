import type { TelemetryMigration } from '../migrate.ts'

/** Hosts, their series, the newest samples as they came, and closed blocks of them at each resolution. */
export const chunks: TelemetryMigration = {
  version: 1,
  name: 'chunks',
  up: (database) =>
    database.exec(`
      CREATE TABLE host (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
      CREATE TABLE series (
        id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES host, name TEXT NOT NULL, labels TEXT NOT NULL,
        unit TEXT NOT NULL, grp INTEGER NOT NULL, UNIQUE (host, name, labels, unit)
      ) STRICT;
      CREATE TABLE tail (
        host INTEGER NOT NULL, t0 INTEGER NOT NULL, seq INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (host, t0, seq)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, host INTEGER NOT NULL, res INTEGER NOT NULL, grp INTEGER NOT NULL, t0 INTEGER NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE (host, res, grp, t0)
      ) STRICT;
      CREATE TABLE usage (
        host INTEGER NOT NULL, res INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (host, res)
      ) STRICT, WITHOUT ROWID;
    `),
}
