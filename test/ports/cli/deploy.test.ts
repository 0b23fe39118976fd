import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../../src/hosts/cli/program.ts'
import { until } from '../../support/until.ts'
import { startNode } from './process.ts'
import {
  aDeployment,
  serveScriptedOperations,
  token,
  type ScriptedOperations,
} from './scripted-operations.ts'
import { person } from '../../support/person.ts'

let directory: string
let engine: ScriptedOperations

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-deploy-'))
  await mkdir(join(directory, 'data'))
  engine = await serveScriptedOperations(join(directory, 'data'))
})
afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

/** A command line with its surroundings: nobody at the terminal unless `answer` is what a person there types. */
function start(args: string[], variables: Record<string, string> = {}, answer?: string) {
  const text = { stdout: '', stderr: '' }
  const asked: string[] = []
  const to = (stream: 'stdout' | 'stderr') => ({
    write: (written: string) => void (text[stream] += written),
    isClosed: () => false,
    isTerminal: false,
    width: Infinity,
    isColoured: false,
    style: (_format: string, written: string) => written,
  })
  const ended = runCli(args, {
    out: to('stdout'),
    err: to('stderr'),
    system: { platform: process.platform, variables, home: directory, workingDirectory: directory },
    bundle: { screens: 'none' },
    person: {
      isThere: answer !== undefined,
      ask: (question) => {
        asked.push(question)
        return Promise.resolve(answer ?? '')
      },
    },
  }).then((code) => ({ code, asked, ...text }))
  return { ended, text }
}
const run = (...args: string[]) => start([...args, '--data-dir', 'data']).ended

describe('finding the engine', () => {
  it('names the environment variable that keeps it from finding where the engine is', async () => {
    const { code, stderr } = await start(['services'], { PILOTHOUSE_SERVER__PROT: '1' }).ended
    expect(code).toBe(1)
    expect(stderr).toContain('PILOTHOUSE_SERVER__PROT: no setting has this environment variable')
  })

  it('leaves the way to it in a file that only this user reads, for as long as it runs', async () => {
    const path = join(directory, 'data', 'server.json')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await engine[Symbol.asyncDispose]()
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })

  it('ends with 3 and one sentence when none runs', async () => {
    const { code, stderr } = await start(['services', '--data-dir', 'elsewhere']).ended
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /No engine is running on the data directory .*elsewhere\. To start an engine, run: pilothouse serve --data-dir elsewhere/,
    )
  })

  it('does not offer its token to whoever has the port of one that was killed', async () => {
    await mkdir(join(directory, 'old'))
    // Above what a Linux kernel gives, and free elsewhere.
    const gone = 2 ** 22 + 1
    await writeFile(
      join(directory, 'old', 'server.json'),
      JSON.stringify({ url: engine.url, token, pid: gone, identity: 'of-another-time' }),
    )
    expect((await start(['services', '--data-dir', 'old']).ended).code).toBe(3)
  })

  it('takes another one that the environment names', async () => {
    const variables = { PILOTHOUSE_URL: engine.url, PILOTHOUSE_TOKEN: token }
    expect((await start(['services'], variables).ended).stdout).toContain('shop')
    const refused = await start(['services'], { ...variables, PILOTHOUSE_TOKEN: 'wrong' }).ended
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('No valid access token')
    const away = await start(['services'], { ...variables, PILOTHOUSE_URL: 'http://127.0.0.1:9' }).ended
    expect(away.code).toBe(3)
  })
})

describe('pilothouse deploy', () => {
  it('starts what the options say and tells how to follow it', async () => {
    const { code, stdout } = await run('deploy', 'shop', 'r2', '--steps', '5:1m,50:2m:gate', '--why', 'a fix')
    expect(code).toBe(0)
    expect(stdout).toContain('shop: r1 → r2')
    expect(engine.script.calls).toEqual([
      {
        name: 'start',
        input: {
          service: 'shop',
          releaseId: 'r2',
          expectedRevision: 1,
          supersedes: null,
          why: 'a fix',
          options: {
            steps: [
              { weight: 5, holdMs: 60_000, analysis: true, gate: false },
              { weight: 50, holdMs: 120_000, analysis: true, gate: true },
            ],
          },
        },
      },
    ])
  })

  it('names the deployment whose place it takes, only when told to take one', async () => {
    expect((await run('deploy', 'shop', 'r3', '--supersede')).code).toBe(0)
    expect(engine.script.calls).toMatchObject([
      { name: 'list', input: { service: 'shop', limit: 1 } },
      { name: 'start', input: { releaseId: 'r3', supersedes: engine.script.deployment.id } },
    ])
  })

  it('sets for this deployment what could stand in the config, and refuses what could not', async () => {
    const args = ['deploy', 'shop', 'r2', '--strategy', 'balanced', '--set', 'limits.maxErrorRatio=2%']
    expect((await run(...args, '--set', 'metricsEvery=10s')).code).toBe(0)
    expect(engine.script.calls).toMatchObject([
      { input: { options: { preset: 'balanced', limits: { maxErrorRatio: 0.02 }, metricsEveryMs: 10_000 } } },
    ])
    const refused = await run('deploy', 'shop', 'r2', '--set', 'limits.maxErorRatio=2%')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('did you mean limits.maxErrorRatio?')
    expect(engine.script.calls).toHaveLength(1)
    expect((await run('deploy', 'shop', 'r2', '--preset', 'aggressive')).code).toBe(0)
    expect(engine.script.calls[1]).toMatchObject({ input: { options: { preset: 'aggressive' } } })
  })

  it('says of an unknown service which ones there are, and orders nothing', async () => {
    const { code, stderr } = await run('deploy', 'shpo', 'r2')
    expect(code).toBe(1)
    expect(stderr).toContain('There is no service "shpo". Services: shop.')
    expect(engine.script.calls).toEqual([])
  })

  it('refuses steps it cannot read with 2, and starts nothing', async () => {
    const { code, stderr } = await run('deploy', 'shop', 'r2', '--steps', '5')
    expect(code).toBe(2)
    expect(stderr).toContain('write weight:hold')
    expect(engine.script.calls).toEqual([])
  })

  it('prints plan and checks of a dry run, moves nothing, and ends with 1 when a check fails', async () => {
    const good = await run('deploy', 'shop', 'r2', '--dry-run')
    expect(good.code).toBe(0)
    expect(good.stdout).toContain('50%')
    expect(good.stdout).toContain('smoke test')
    expect(good.stdout).toContain('Traffic shares are verified')
    engine.script.canDeploy = false
    const bad = await run('validate', 'shop', 'r2')
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain('got 500')
    expect(engine.script.calls.map(({ name }) => name)).toEqual(['rehearse', 'rehearse'])
  })

  it.each([
    ['promoted', 0, 'Promoted: r2 is the stable release of shop'],
    ['rolled_back', 1, 'Rolled back: r1 is the stable release of shop'],
    ['failed', 1, 'Failed: r1 is the stable release of shop'],
    ['paused', 4, 'Paused: r2 is waiting for your decision'],
  ] as const)('follows it line by line until it is %s and ends with %i', async (phase, code, outcome) => {
    const watching = start(['deploy', 'shop', 'r2', '--watch', '--data-dir', 'data'])
    engine.show(engine.script.deployment)
    await until('the step', () => /step 1 of 2, 10%/.exec(watching.text.stdout) ?? undefined)
    engine.show(aDeployment({ stepIndex: 1, weight: 50, revision: 4 }))
    await until('the step', () => /step 2 of 2, 50%/.exec(watching.text.stdout) ?? undefined)
    engine.show(aDeployment({ phase, reason: 'that is how it went', stepIndex: 1, weight: 50, revision: 5 }))
    const ended = await watching.ended
    expect(ended.code).toBe(code)
    expect(ended.stdout).toContain('that is how it went')
    expect(ended.stdout.trimEnd().replace(/\s+/g, ' ')).toMatch(new RegExp(`${outcome}$`))
    // eslint-disable-next-line no-control-regex
    expect(ended.stdout).not.toMatch(/\u001b|\r/)
  })
})

describe('steering a deployment', () => {
  it('names target and effect, and orders it for the state it saw', async () => {
    const { code, stderr } = await run('deployments', 'promote', 'd1', '--why', 'sure')
    expect(code).toBe(0)
    expect(stderr).toContain('shop: r1 → r2 (in canary, step 1 of 2, 10%): r2 gets all traffic')
    expect(engine.script.calls).toEqual([
      { name: 'promote', input: { id: 'd1', expectedRevision: 3, why: 'sure' } },
    ])
  })

  it('says of an unknown one on standard error that there is none, and as JSON where it is wanted', async () => {
    const text = await run('deployments', 'show', 'd9')
    expect(text).toMatchObject({ code: 1, stdout: '' })
    expect(text.stderr).toContain('There is no deployment d9.')
    const { code, stdout, stderr } = await run('deployments', 'show', 'd9', '--json')
    expect({ code, stderr }).toEqual({ code: 1, stderr: text.stderr })
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'NOT_FOUND', message: 'There is no deployment d9.', retryable: false },
    })
  })

  it('writes times in the zone that the engine is configured for, or that this command is told', async () => {
    const entry = fileURLToPath(new URL('entry.ts', import.meta.url))
    const started = async (...more: string[]) => {
      const args = ['none', ...more, 'deployments', 'list', '--data-dir', 'data']
      return (await startNode(entry, args, directory, { TZ: 'Asia/Tokyo' }).ended).stdout
    }
    const [tokyo, utc] = ['Nov 15, 2023, 07:13:20 GMT+9', 'Nov 14, 2023, 22:13:20 UTC']
    expect(await started()).toContain(tokyo)
    expect(await started('--utc')).toContain(utc)
    engine.script.timeZone = 'utc'
    expect(await started()).toContain(utc)
    expect(await started('--local')).toContain(tokyo)
    expect((await run('--utc', '--local', 'deployments', 'list')).code).toBe(2)
  })

  it('lists what the filters ask for', async () => {
    const { stdout } = await run('deployments', 'list', '--service', 'shop', '--limit', '7')
    expect(stdout).toContain('d1')
    expect(engine.script.calls).toEqual([{ name: 'list', input: { service: 'shop', limit: 7 } }])
  })
})

const orders = [
  ['services', 'shop', 'restart'],
  ['services', 'shop', 'declare', 'shop.yaml'],
  ['services', 'shop', 'remove'],
  ['resume', 'shop'],
  ['deploy', 'shop', 'r2'],
  ['deployments', 'undo', 'shop'],
  ['deployments', 'retry', 'd1'],
  ...['pause', 'resume', 'skip', 'promote', 'abort'].map((order) => ['deployments', order, 'd1']),
].map((args) => [args.join(' '), args] as const)

describe('every order', () => {
  it.each(orders)(
    'states no effect when the engine refuses it, and its effect when not: %s',
    async (_, args) => {
      await writeFile(join(directory, 'shop.yaml'), 'drain: 2s\n')
      engine.script.isRefusing = true
      const refused = await run(...args)
      expect(refused).toMatchObject({ code: 1, stdout: '' })
      expect(refused.stderr).toMatch(/^pilothouse: Not now\./)
      engine.script.isRefusing = false
      const accepted = await run(...args)
      expect(accepted.code).toBe(0)
      expect(accepted.stderr).toMatch(/^shop\b.*\n$/)
    },
  )
})

describe('a new deployment while the release before is kept warm', () => {
  it('says that it stops, in the dry run and with the effect', async () => {
    const cost = 'r1 is still kept warm and stops now. Returning to it then takes an undo'
    expect((await run('deploy', 'shop', 'r3', '--dry-run')).stdout).not.toContain('kept warm')
    engine.script.wayBack = { ...engine.script.wayBack, kind: 'warm' }
    expect((await run('deploy', 'shop', 'r3', '--dry-run')).stdout).toContain(cost)
    for (const args of [
      ['deploy', 'shop', 'r3'],
      ['deployments', 'retry', 'd1'],
      ['deployments', 'undo', 'shop', 'r0'],
    ])
      expect((await run(...args)).stderr).toContain(cost)
  })
})

describe('an undo while automation is stopped after an emergency', () => {
  const args = ['deployments', 'undo', 'shop', '--data-dir', 'data']
  const given = () => engine.script.calls.find(({ name }) => name === 'undo')?.input
  beforeEach(() => {
    engine.script.automationStopped = { by: person('ann'), atMs: 0, reason: 'errors' }
  })

  it('says before it is confirmed that automation resumes, and resumes it with the one order', async () => {
    const { asked, stderr, code } = await start(args, {}, 'shop').ended
    expect(asked).toHaveLength(1)
    expect(stderr).toBe('shop: r1 → r1, without steps. Automation, stopped by ann (errors), resumes\n')
    expect(code).toBe(0)
    expect(given()).toMatchObject({ expectedRevision: 1, resumesAutomation: true })
  })

  it('resumes it for a script only when it is told to go ahead', async () => {
    await run(...args.slice(0, 3))
    expect(given()).toMatchObject({ resumesAutomation: false })
    engine.script.calls.length = 0
    await run(...args.slice(0, 3), '--yes')
    expect(given()).toMatchObject({ resumesAutomation: true })
  })
})

describe('pilothouse rollback', () => {
  const outcome = (service: string, ok: boolean) => ({
    service,
    ok,
    releaseId: 'r1',
    fromReleaseId: 'r2',
    tookMs: 21,
    text: ok ? 'all traffic is on r1' : 'the router does not answer',
  })

  it('rolls back one service, or all, and ends with 1 when one of them was not confirmed', async () => {
    engine.script.outcomes = [outcome('shop', true)]
    const one = await run('rollback', 'shop')
    expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining('all traffic is on r1') as string })
    engine.script.outcomes = [outcome('shop', true), outcome('cart', false)]
    expect((await run('rollback', '--all')).code).toBe(1)
    expect(engine.script.calls).toEqual([
      { name: 'rollback', input: { services: ['shop'], why: '' } },
      { name: 'rollback', input: { why: '' } },
    ])
  })

  it('asks a person at a terminal for the name of a production service, and does nothing without', async () => {
    engine.script.outcomes = [outcome('shop', true)]
    const args = ['rollback', 'shop', '--data-dir', 'data']
    const refused = await start(args, {}, 'shoq').ended
    expect(refused).toMatchObject({ code: 1, asked: ['This is production. Type shop to confirm: '] })
    expect(refused.stderr).toContain('shop: r2 → r1. r2 has 10% of traffic')
    expect(refused.stderr).toMatch(/Canceled: type shop to confirm, not "shoq"\.\n$/)
    // Nothing but that somebody tried.
    expect(engine.script.calls).toEqual([
      { name: 'unconfirmed', input: { order: 'rollback.emergency', target: 'shop' } },
    ])
    expect((await start(args, {}, 'Shop ').ended).code).toBe(0)
    expect(await start([...args, '--yes'], {}, '').ended).toMatchObject({ code: 0, asked: [] })
  })

  it.each(orders)('asks for the name in production, as of every order: %s', async (_, args) => {
    await writeFile(join(directory, 'shop.yaml'), 'drain: 2s\n')
    const refused = await start([...args, '--data-dir', 'data'], {}, 'shoq').ended
    expect(refused).toMatchObject({ code: 1, asked: ['This is production. Type shop to confirm: '] })
    expect(refused.stderr).toMatch(/^shop\b.*\npilothouse: Canceled: type shop to confirm, not "shoq"\.\n$/)
    expect(engine.script.calls.map(({ name }) => name)).toEqual(['unconfirmed'])
    const confirmed = await start([...args, '--data-dir', 'data', '--yes'], {}, '').ended
    expect(confirmed.asked).toEqual([])
  })

  it('asks no name of a new service where the engine is not in production', async () => {
    await writeFile(join(directory, 'cart.yaml'), 'drain: 2s\n')
    const declared = await start(['services', 'cart', 'declare', 'cart.yaml', '--data-dir', 'data'], {}, '')
      .ended
    expect(declared.asked).toEqual([])
    expect(declared.stderr).toContain('cart: the settings of cart.yaml take effect')
  })

  it('lists what can go back, with both releases and the command', async () => {
    const { code, stdout } = await run('rollback', '--list')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^shop +r2 → r1 +r2 has 10% of traffic: .* pilothouse rollback shop --data-dir data\n$/,
    )
    expect(engine.script.calls).toEqual([])
  })

  it('wants one service or all of them, never a guess', async () => {
    expect((await run('rollback')).code).toBe(2)
    expect((await run('rollback', 'shop', '--all')).code).toBe(2)
    expect(engine.script.calls).toEqual([])
  })
})

describe('services, releases and audit', () => {
  it('shows traffic and figures of each service, those of its candidate among them', async () => {
    const { stdout } = await run('services')
    expect(stdout).toMatch(/shop\s+production\s+r1 90%, r2 10%.*12\.5\s+2\.3%\s+–\s+20 ms/)
  })

  it('says of an unknown service that there is none, instead of an empty list', async () => {
    for (const args of [
      ['releases', 'shpo'],
      ['deployments', 'list', '--service', 'shpo'],
    ]) {
      const { code, stderr } = await run(...args)
      expect({ args, code }).toEqual({ args, code: 1 })
      expect(stderr).toContain('There is no service "shpo". Services: shop.')
    }
  })

  it('writes no export over a file, and says which', async () => {
    await writeFile(join(directory, 'kept.csv'), 'mine')
    const { code, stderr } = await run('audit', 'export', '--out', join(directory, 'kept.csv'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/kept\.csv already exists and was not changed\. Name another file\.\n$/)
  })

  it('makes a release known with the words after -- as its command', async () => {
    const args = [
      'releases',
      'shop',
      'add',
      'r3',
      '--env',
      'A=1',
      '--data-dir',
      'data',
      '--',
      'node',
      'shop.js',
      '--fast',
    ]
    expect((await start(args).ended).code).toBe(0)
    expect(engine.script.calls[0]?.input).toMatchObject({
      id: 'r3',
      artifact: { kind: 'command', argv: ['node', 'shop.js', '--fast'], env: { A: '1' } },
    })
  })

  it('compares two releases', async () => {
    const { stdout } = await run('releases', 'shop', 'compare', 'r1', 'r2')
    expect(stdout).toMatch(/parameters\.workers\s+2\s+4/)
    expect(stdout).toMatch(/errorRatio\s+0\.1%\s+–/)
  })

  it('verifies the audit log, and prints what others wrote without their control characters', async () => {
    expect((await run('audit', 'verify')).code).toBe(0)
    engine.script.isAuditWhole = false
    expect(await run('audit', 'verify')).toMatchObject({
      code: 1,
      stdout: 'Entry 4 does not follow from entry 3.\n',
    })
    // eslint-disable-next-line no-control-regex
    expect((await run('audit', 'list')).stdout).not.toMatch(/\u001b/)
    expect((await run('audit', 'export', '--format', 'csv')).stdout).toBe('seq,hash\n')
  })
})
