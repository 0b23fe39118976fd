import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { AuditDraft } from '../../../src/engine/audit/index.ts'
import { changedSettings, loadConfig } from '../../../src/engine/config/index.ts'
import { ConfigRecord } from '../../../src/hosts/config-record.ts'
import { VirtualClock } from '../../support/clock.ts'

function loaded(maxTime: string, level: string) {
  const text = `{logging: {level: ${level}}, services: {shop: {listen: {port: 8080}, deploy: {maxTime: ${maxTime}}, releases: {r1: {command: [a]}}}}}`
  const bytes = new TextEncoder().encode(text)
  const places = { workingDirectory: '/work', home: '/home/ada', dataDirectory: '/data' }
  const result = loadConfig({ file: { path: '/c/pilothouse.yaml', bytes }, variables: {}, flags: [], places })
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

it('puts a changed service on record under its own name, with what was before', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'config-record-'))
  onTestFinished(() => rmSync(dataDirectory, { recursive: true }))
  const entries: AuditDraft[] = []
  const append = (draft: AuditDraft) => Promise.resolve(void entries.push(draft))
  const record = new ConfigRecord({ dataDirectory, clock: new VirtualClock(), log: silentLog, append })
  const [before, after] = [loaded('10m', 'info'), loaded('20m', 'debug')]
  await record.changed(after, changedSettings(before, after))
  expect(entries.map(({ action, target }) => `${action} ${target}`)).toEqual([
    'config.change configuration',
    'services.configure shop',
  ])
  expect(entries[1]?.details).toEqual({
    changes: [{ path: 'services.shop.deploy.maxTime', from: '10m', to: '20m' }],
  })
})
