import { createRouterClient } from '@orpc/server'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { operator } from '../../src/contract/index.ts'
import { silentLog, type Log } from '../../src/base/index.ts'
import { readConfig } from '../../src/adapters/config/index.ts'
import type { LoadedConfig } from '../../src/engine/config/index.ts'
import { openLocalEngine } from '../../src/hosts/local-engine.ts'
import { until } from '../support/until.ts'

/** Mounting needs root, as CI has it; elsewhere the skip says so. */
const canMount = process.platform === 'linux' && process.getuid?.() === 0

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-engine-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function configOf(text: string): Promise<LoadedConfig> {
  writeFileSync(join(directory, 'pilothouse.yaml'), `dataDirectory: ${join(directory, 'data')}\n${text}`)
  const { result } = await readConfig({
    system: { platform: 'linux', variables: {}, workingDirectory: directory, home: directory },
  })
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('; '))
  return result.value
}

/** What the log of an engine says is an error. */
function errorsOf(): { log: Log; errors: string[] } {
  const errors: string[] = []
  return { log: { ...silentLog, error: (message) => void errors.push(message) }, errors }
}

describe('the engine of this machine', () => {
  it('enters a changed configuration in the audit log, with what it was, and nothing where nothing changed', async () => {
    const config = await configOf('environment: staging\n')
    await using local = await openLocalEngine({ config, log: silentLog })
    const client = createRouterClient(local.engine.router, { context: { principal: operator('ada') } })
    local.configChanged({ ok: true, value: await configOf('environment: staging\n# a comment\n') })
    local.configChanged({ ok: true, value: await configOf('environment: production\n') })
    const entries = await until('the change is on record', async () => {
      const found = await client.audit.list({ limit: 10 })
      return found.length > 0 ? found : undefined
    })
    expect(entries).toMatchObject([
      {
        action: 'config.change',
        details: { changes: [{ path: 'environment', from: 'staging', to: 'production' }] },
      },
    ])
  })

  it('enters a configuration that was changed while no engine ran, and one that is refused', async () => {
    await (
      await openLocalEngine({ config: await configOf('environment: staging\n'), log: silentLog })
    )[Symbol.asyncDispose]()
    for (const launch of [1, 2]) {
      const config = await configOf('environment: production\n')
      await using local = await openLocalEngine({ config, log: silentLog })
      const client = createRouterClient(local.engine.router, { context: { principal: operator('ada') } })
      const entries = await client.audit.list({ target: 'configuration' })
      expect(entries, `launch ${launch}`).toMatchObject([
        {
          action: 'config.change',
          why: expect.stringContaining('while no engine was running') as string,
          details: { changes: [{ path: 'environment', from: 'staging', to: 'production' }] },
        },
      ])
      if (launch === 1) continue
      const problem = {
        file: 'pilothouse.yaml',
        line: 3,
        column: 1,
        path: '',
        message: 'no such setting',
        hint: '',
      }
      local.configChanged({ ok: false, error: [problem] })
      const refused = await until('it is on record', async () => {
        const [newest] = await client.audit.list({ target: 'configuration' })
        return newest?.action === 'config.refused' ? newest : undefined
      })
      expect(refused).toMatchObject({ why: 'pilothouse.yaml:3:1: no such setting' })
    }
  })

  it.each(['audit.anchor', 'telemetry.sqlite', 'backups'])(
    'says loudly that the state database is gone, as %s remains of it',
    async (kept) => {
      const config = await configOf('')
      await (await openLocalEngine({ config, log: silentLog }))[Symbol.asyncDispose]()
      const data = join(directory, 'data')
      if (kept === 'backups') {
        mkdirSync(join(data, 'backups'), { recursive: true })
        writeFileSync(join(data, 'backups', 'state-v50-20260101T000000000Z.sqlite'), 'x')
      }
      const gone = ['state.sqlite', 'audit.anchor', 'audit.key', 'telemetry.sqlite', 'backups'].filter(
        (name) => name !== kept,
      )
      for (const name of gone)
        for (const suffix of ['', '-wal', '-shm'])
          rmSync(join(data, name + suffix), { recursive: true, force: true })
      const { log, errors } = errorsOf()
      await using local = await openLocalEngine({ config, log })
      expect(errors).toEqual(['the state database was lost'])
      const records = local.engine.live.snapshot()
      const failed = local.engine.status.checks().find(({ name }) => name === 'earlier state database')
      expect(failed).toMatchObject({ ok: false })
      const notices = Object.values(records).map((record) => JSON.stringify(record))
      expect(notices.filter((text) => text.includes('was missing at this start'))).toContainEqual(
        expect.stringContaining('critical'),
      )
    },
  )

  it('says loudly that the key of the audit log was taken away, once, and that it cannot be trusted', async () => {
    const config = await configOf('')
    const launch = async () => {
      const { log, errors } = errorsOf()
      await using local = await openLocalEngine({ config, log })
      local.engine.start()
      const client = createRouterClient(local.engine.router, { context: { principal: operator('ada') } })
      await client.services.restart({ service: 'moon' }).catch(() => undefined)
      return { errors, shown: JSON.stringify(local.engine.live.snapshot()), ...(await client.audit.verify()) }
    }
    expect(await launch()).toMatchObject({ errors: [], isWhole: true })
    for (const name of ['audit.key', 'audit.anchor']) rmSync(join(directory, 'data', name))
    const after = await launch()
    expect(after).toMatchObject({
      errors: ['the audit log cannot be trusted'],
      shown: expect.stringContaining('audit.key was missing') as string,
      isWhole: false,
    })
    expect(await launch()).toMatchObject({ errors: [], isWhole: false, text: after.text })
  })

  it('finds no loss at a first start, nor at a second', async () => {
    const config = await configOf('')
    for (let launch = 0; launch < 2; launch++) {
      const { log, errors } = errorsOf()
      await using _local = await openLocalEngine({ config, log })
      expect(errors).toEqual([])
    }
  })

  it.skipIf(!canMount)(
    `promises nothing that needs an engine when it cannot start on a full disk${canMount ? '' : ' (skipped: mounting needs root on Linux)'}`,
    async () => {
      const config = await configOf('')
      const mount = join(directory, 'data')
      mkdirSync(mount)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount])
      try {
        await (await openLocalEngine({ config, log: silentLog }))[Symbol.asyncDispose]()
        try {
          writeFileSync(join(mount, 'filler'), Buffer.alloc(4 << 20))
        } catch {
          // It takes all that is left, then fails: that is the point.
        }
        const failure = await openLocalEngine({ config, log: silentLog }).then(
          () => null,
          (thrown: unknown) => thrown,
        )
        expect(failure).toMatchObject({
          code: 'STORE_FULL',
          remedy: 'Free disk space, then start the engine again.',
        })
      } finally {
        execFileSync('umount', [mount])
      }
    },
  )
})
