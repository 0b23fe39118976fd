import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checksFor } from '../../src/adapters/checks/index.ts'
import { readConfig } from '../../src/adapters/config/index.ts'
import { hookRunner } from '../../src/adapters/hooks/index.ts'
import { accountFor, systemClock, systemRng } from '../../src/adapters/system/index.ts'
import { hookSchema } from '../../src/contract/index.ts'
import type { HookContext } from '../../src/engine/deployments/index.ts'
import { checkConfigSchema } from '../../src/engine/validation/index.ts'
import { until } from '../support/until.ts'
import { noFacts, requestOf } from './checks/attempt.ts'
import { EdgeProcess } from './edge/edge-process.ts'
import { releaseOf, TestService, valueOf } from './platform.ts'

const found = accountFor({ user: 'nobody', group: null })
const nobody = 'account' in found ? found.account : null
const runsNode = (uid: number) => spawnSync(process.execPath, ['-e', '0'], { uid, cwd: '/' }).status === 0
/** Only root can do it, where Node itself is open to others. */
const canTry = process.platform !== 'win32' && nobody !== null && runsNode(nobody.uid)
const runsAs = { user: 'nobody', group: null }

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ph-as-'))
  chmodSync(directory, 0o777)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Code that tells whom it runs as. */
const identity =
  '[process.getuid(), process.getgid(), process.getgroups().join(), process.env.HOME, process.env.USER].join(" ")'
const expected = () => [nobody?.uid, nobody?.gid, nobody?.gid, nobody?.home, 'nobody'].join(' ')

describe.runIf(canTry)('a service with a user', () => {
  it('has instances that run as that user, with no group of root, and keeps what they print', async () => {
    await using edge = await EdgeProcess.start()
    const code = `console.log('started'); require('http').createServer((q, a) => a.end(${identity})).listen(process.env.PORT)`
    const { artifact, ...rest } = releaseOf('r1')
    const release = { ...rest, artifact: { ...artifact, argv: [process.execPath, '-e', code], cwd: '/' } }
    const platform = { target: edge.target, router: edge.router, killAndRestart: () => edge.end('SIGKILL') }
    const shop = await TestService.declare(
      { ...platform, [Symbol.asyncDispose]: async () => undefined },
      runsAs,
    )
    await shop.run(release, 1)
    valueOf(await shop.weigh({ r1: 100 }))
    expect(await shop.get()).toBe(expected())
    const [instance] = await shop.instances()
    expect(statSync(`/proc/${instance?.pid ?? 0}`).uid).toBe(nobody?.uid)
    const logs = valueOf(await edge.target.logs({ service: 'shop', lines: 10 }))
    expect(logs).toMatchObject([{ text: 'started' }])
  })

  it('says why an instance cannot start as a user that is gone', async () => {
    await using edge = await EdgeProcess.start()
    const platform = { target: edge.target, router: edge.router, killAndRestart: () => edge.end('SIGKILL') }
    const shop = await TestService.declare(
      { ...platform, [Symbol.asyncDispose]: async () => undefined },
      { user: 'no-such-user' },
    )
    valueOf(await edge.target.ensure({ service: 'shop', release: releaseOf('r1'), instances: 1, key: 'k' }))
    const reason = await until('the reason', async () => {
      const [instance] = await shop.instances()
      return instance?.state === 'down' ? instance.reason : undefined
    })
    expect(reason).toContain('/etc/passwd of this machine has no such user')
  })

  it('has checks and hooks that run as that user, and keeps what their environment was given', async () => {
    const place = { cwd: directory }
    const surroundings = { clock: systemClock(), rng: systemRng(), facts: noFacts, runsAs }
    const argv = [process.execPath, '-e', `console.log(${identity})`]
    const [check] = checksFor(
      [checkConfigSchema.parse({ kind: 'command', argv })],
      requestOf(place),
      surroundings,
    ).filter(({ name }) => name.startsWith('command'))
    const verdict = await check?.run(new AbortController().signal)
    expect(verdict).toMatchObject({ outcome: 'passed', output: `${expected()}\n` })

    const release = { ...releaseOf('r2', { HOME: '/elsewhere' }), parameters: {} }
    const hooks = hookRunner({
      ...surroundings,
      origin: () => null,
      program: async () => ({ release, directory, runsAs }),
    })
    const hook = hookSchema.parse({
      name: 'tell',
      when: 'before',
      phase: 'stepping',
      run: { kind: 'script', argv },
    })
    const context = { service: 'shop', candidateReleaseId: 'r2' } as HookContext
    const outcome = valueOf(await hooks.run(hook, context, new AbortController().signal))
    expect(outcome.output).toBe(`${expected().replace(nobody?.home ?? '', '/elsewhere')}\n`)
  })
})

it('refuses a user that this machine does not have, with place and remedy', async () => {
  writeFileSync(
    join(directory, 'pilothouse.yaml'),
    'services:\n  shop:\n    user: no-such-user\n    releases: { r1: { command: [a] } }\n',
  )
  const { result } = await readConfig({
    system: { platform: 'linux', variables: {}, workingDirectory: directory, home: directory },
  })
  expect(result).toMatchObject({
    ok: false,
    error: [{ line: 3, column: 11, path: 'services.shop.user', hint: expect.stringMatching(/./) as string }],
  })
})
