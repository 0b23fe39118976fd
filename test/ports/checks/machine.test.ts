import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError, fail, ok, silentLog, type Clock } from '../../../src/base/index.ts'
import { checksFor } from '../../../src/adapters/checks/index.ts'
import { systemClock, systemRng } from '../../../src/adapters/system/index.ts'
import { latencyBoundsMs, type Plan, type PlanOptions } from '../../../src/contract/index.ts'
import { noCounts } from '../../../src/engine/canary/index.ts'
import { buildPlan } from '../../../src/engine/deployments/index.ts'
import type { Router, Target } from '../../../src/engine/platforms/index.ts'
import {
  checksSchema,
  validatorOf,
  type HostFact,
  type ValidationFacts,
} from '../../../src/engine/validation/index.ts'
import { attempt, noFacts, requestOf } from './attempt.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-checks-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const node = (source: string) => [process.execPath, '-e', source]
const inDirectory = (name: string) => join(directory, name)

/** Whether a process does anything any more: one that ended and was not collected does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Processes that were killed: what is dying has lost its memory, and so its mark, a moment before its state says so. */
const gone = (pids: readonly number[]): Promise<void> =>
  expect.poll(() => pids.filter(isRunning), { timeout: 5000 }).toEqual([])

/** Resolves when the file is there. */
async function written(file: string): Promise<void> {
  const watcher = watch(directory)
  try {
    while (!existsSync(file)) await once(watcher, 'change')
  } finally {
    watcher.close()
  }
}

const secrets = ['PILOTHOUSE_SERVER__TOKEN', 'DATABASE_PASSWORD']

async function withSecrets(run: () => Promise<void>): Promise<void> {
  for (const name of secrets) process.env[name] = 'hidden'
  try {
    await run()
  } finally {
    for (const name of secrets) delete process.env[name]
  }
}

describe('a command', () => {
  it('passes with exit code 0 and keeps what it printed on both streams', async () => {
    const argv = node('console.log("out"); console.error("err")')
    const verdict = await attempt({ kind: 'command', argv })
    expect(verdict.outcome).toBe('passed')
    expect(verdict.output).toContain('out')
    expect(verdict.output).toContain('err')
  })

  it('fails with another code, and is repeated only when it asks for it', async () => {
    expect(await attempt({ kind: 'command', argv: node('process.exit(3)') })).toMatchObject({
      outcome: 'failed',
      text: `${process.execPath} exited with code 3.`,
    })
    expect((await attempt({ kind: 'command', argv: node('process.exit(75)') })).isTransient).toBe(true)
  })

  it('that is not there says so', async () => {
    const verdict = await attempt({ kind: 'command', argv: [inDirectory('nothing')] })
    expect(verdict.text).toContain('the program does not exist')
    const nowhere = await attempt({ kind: 'command', argv: node(''), cwd: inDirectory('nowhere') })
    expect(nowhere).toMatchObject({ outcome: 'failed' })
    expect(nowhere.text).toContain(`the working directory ${inDirectory('nowhere')} does not exist`)
  })

  it('takes its arguments as they are: there is no shell', async () => {
    const argv = [...node('console.log(process.argv[1])'), `$(touch ${inDirectory('made')}); {release}`]
    expect((await attempt({ kind: 'command', argv })).output).toContain('$(touch')
    expect(existsSync(inDirectory('made'))).toBe(false)
  })

  it('has the environment of an instance and its own, and no secret of the engine', async () => {
    await withSecrets(async () => {
      const shown = ['PILOTHOUSE_RELEASE', 'MODE', 'REGION', 'EXTRA', ...secrets]
      const argv = node(`console.log(${JSON.stringify(shown)}.map((name) => process.env[name]).join(' '))`)
      const request = requestOf({ env: { REGION: 'eu' } })
      request.release.parameters['MODE'] = 'live'
      const verdict = await attempt({ kind: 'command', argv, env: { EXTRA: 'more' } }, { request })
      expect(verdict.output).toBe(`r2 live eu more${' '.repeat(secrets.length)}\n`)
    })
  })

  it('may print without measure: 64 kB are kept', async () => {
    const argv = node('process.stdout.write("first" + "x".repeat(50e6) + "last")')
    const { output = '' } = await attempt({ kind: 'command', argv })
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(64 * 1024)
    expect(output).toMatch(/^first[^]*last$/)
  })

  /** A command with three children, of which two ignore SIGTERM and one has a session of its own; then `after`. */
  const hanging = (after: string) => `
    const { spawn } = require('node:child_process'), { renameSync, writeFileSync } = require('node:fs')
    const child = (detached, deaf) => {
      const source = (deaf ? "process.on('SIGTERM', () => {});" : '') + 'setInterval(() => {}, 1000); process.send("up")'
      return spawn(process.execPath, ['-e', source], { detached, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
    }
    const children = [child(false, false), child(false, true), child(true, true)]
    let up = 0
    for (const each of children) each.once('message', () => {
      if (++up < children.length) return
      writeFileSync('pids.new', JSON.stringify([process.pid, ...children.map(({ pid }) => pid)]))
      renameSync('pids.new', 'pids.json')
      ${after}
    })`
  const pidsOf = () => JSON.parse(readFileSync(inDirectory('pids.json'), 'utf8')) as number[]

  it.skipIf(process.platform !== 'linux')(
    'that hangs is ended with all it started, the deaf and those with a session of their own too',
    async () => {
      const controller = new AbortController()
      const running = attempt(
        { kind: 'command', argv: node(hanging('')), cwd: directory },
        { signal: controller.signal },
      )
      await written(inDirectory('pids.json'))
      expect(pidsOf().map(isRunning)).toEqual([true, true, true, true])
      controller.abort()
      expect((await running).text).toMatch(/was killed by SIG(TERM|KILL)/)
      await gone(pidsOf())
    },
  )

  it.skipIf(process.platform !== 'linux')('that ends leaves nothing of what it started behind', async () => {
    const verdict = await attempt({ kind: 'command', argv: node(hanging('process.exit(0)')), cwd: directory })
    expect(verdict.outcome).toBe('passed')
    await gone(pidsOf())
  })

  it('is held against the reports that it writes, whatever code it ends with', async () => {
    const report = { format: 'junit', path: 'report.xml' }
    const writing = (xml: string, code = 0) =>
      node(`require('node:fs').writeFileSync('report.xml', ${JSON.stringify(xml)}); process.exit(${code})`)
    const gate = (argv: string[]) => attempt({ kind: 'command', argv, cwd: directory, reports: [report] })
    expect((await gate(writing('<testsuite><testcase name="a"/></testsuite>'))).outcome).toBe('passed')
    expect(
      (await gate(writing('<testsuite><testcase name="b"><failure/></testcase></testsuite>', 1))).text,
    ).toContain('1 of 1 tests ran, 1 failed')
    expect(
      (await gate(writing('<testsuite><testcase name="c"><failure/></testcase></testsuite>'))).outcome,
    ).toBe('failed')
    expect((await gate(writing('<testsuite><testcase name="a"/></testsuite>', 1))).outcome).toBe('failed')
  })

  it('does not pass on a report of an earlier run', async () => {
    writeFileSync(inDirectory('report.xml'), '<testsuite><testcase name="a"/></testsuite>')
    const reports = [{ format: 'junit', path: 'report.xml' }]
    expect(await attempt({ kind: 'command', argv: node(''), cwd: directory, reports })).toMatchObject({
      outcome: 'failed',
      text: 'The report report.xml is from an earlier run: the command did not write it.',
    })
  })
})

describe('a report that is there', () => {
  const report = (path: string, more: object = {}) =>
    attempt({
      kind: 'reports',
      cwd: directory,
      reports: [{ format: 'json', path, rules: [{ pointer: '/ok', equals: true }] }],
      ...more,
    })

  it('is judged, and may be too old', async () => {
    writeFileSync(inDirectory('a.json'), '{"ok": true}')
    expect((await report('a.json', { maxAgeMs: 60_000 })).outcome).toBe('passed')
    const past = Date.now() / 1000 - 3600
    utimesSync(inDirectory('a.json'), past, past)
    expect((await report('a.json', { maxAgeMs: 60_000 })).text).toContain('is too old')
    expect((await report('a.json')).outcome).toBe('passed')
  })

  it('may be missing, a directory or far too large', async () => {
    mkdirSync(inDirectory('b.json'))
    writeFileSync(inDirectory('c.json'), '')
    truncateSync(inDirectory('c.json'), 17 * 1024 * 1024)
    expect((await report('nothing.json')).text).toContain('was not written')
    expect((await report('b.json')).outcome).toBe('failed')
    expect((await report('c.json')).text).toContain('is larger than 16 MiB')
  })

  it.skipIf(process.platform === 'win32')('may be a pipe that nobody writes to', async () => {
    execFileSync('mkfifo', [inDirectory('d.json')])
    expect((await report('d.json')).text).toContain('is not a file')
  })
})

describe.skipIf(process.platform === 'win32')('the artifact', () => {
  const artifact = (more: Parameters<typeof requestOf>[0]) =>
    attempt({ kind: 'artifact' }, { request: requestOf(more) })

  it('is found by path, from the working directory, and on the PATH', async () => {
    writeFileSync(inDirectory('shop'), '#!/bin/sh\n')
    chmodSync(inDirectory('shop'), 0o755)
    expect((await artifact({ argv: [inDirectory('shop')] })).outcome).toBe('passed')
    expect((await artifact({ argv: ['./shop'], cwd: directory })).outcome).toBe('passed')
    expect((await artifact({ argv: ['shop'], env: { PATH: `/nowhere:${directory}` } })).outcome).toBe(
      'passed',
    )
    expect((await artifact({ argv: ['shop'], env: { PATH: '/nowhere' } })).text).toContain(
      'is not on the PATH',
    )
  })

  const bin = () => {
    for (const name of ['node', 'python3', 'sh', 'deno', 'bun', 'shop-tool']) {
      writeFileSync(inDirectory(name), '#!/bin/sh\n')
      chmodSync(inDirectory(name), 0o755)
    }
    writeFileSync(inDirectory('there.js'), '')
    return { env: { PATH: directory }, cwd: directory }
  }

  it.each([
    ['node server.js'],
    ['node --enable-source-maps --max-old-space-size=100 server.js'],
    ['node -r ./there.js server.js --port 1'],
    ['node -- server.js'],
    ['python3 -u server.py'],
    ['python3 -W ignore server.py'],
    ['sh -eu start.sh'],
    ['sh -o pipefail start.sh'],
    ['deno run -A server.ts'],
    ['deno run --allow-net --port 80 server.ts'],
    ['bun server.ts'],
    ['bun run --hot ./server'],
  ])('must have the script that it runs: %s', async (line) => {
    const verdict = await artifact({ ...bin(), argv: line.split(' ') })
    expect(verdict.outcome).toBe('failed')
    expect(verdict.text).toMatch(/^The script .*(server|start).* of r2 does not exist in .*\.$/)
  })

  it.each([
    ['node there.js'],
    ['node there'],
    ['node --unknown 5 there.js'],
    ['node --unknown server.js'],
    ['node -e 1 server.js'],
    ['node --eval=1'],
    ['node -'],
    ['node'],
    ['python3 -m http.server {port}'],
    ['python3 -uc pass'],
    ['sh -c exec\tserver'],
    ['sh shop-tool'],
    ['deno run https://example.invalid/server.ts'],
    ['deno task start'],
    ['bun run start'],
    ['shop-tool server.js'],
  ])('needs no script where the command names none that is missing for certain: %s', async (line) => {
    expect((await artifact({ ...bin(), argv: line.split(' ') })).outcome).toBe('passed')
  })

  it('must be a program in a directory that exists', async () => {
    writeFileSync(inDirectory('notes.txt'), 'hello')
    chmodSync(inDirectory('notes.txt'), 0o644)
    expect((await artifact({ argv: [inDirectory('notes.txt')] })).text).toContain('is not executable')
    expect((await artifact({ argv: [directory] })).text).toContain('is not a file')
    expect((await artifact({ argv: [inDirectory('shop')] })).text).toContain('does not exist')
    expect((await artifact({ cwd: inDirectory('nowhere') })).text).toContain('The working directory')
  })
})

async function served(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A stable release of which a thousand requests took as long as the bin says. */
const stableAt = (ms: number): ValidationFacts => {
  const latencyCounts = latencyBoundsMs.map((bound, i) =>
    bound >= ms && (latencyBoundsMs[i - 1] ?? 0) < ms ? 1000 : 0,
  )
  return { ...noFacts, baseline: async () => ok({ ...noCounts(), requests: 1000, latencyCounts }) }
}

describe('a short load', () => {
  const short = { kind: 'load', durationMs: 512, minRequests: 5 }

  /** For a load that lasts until there was enough of it, however fast the machine is. */
  function untilEnough(): { clock: Clock; enough: () => void } {
    const real = systemClock()
    const { promise, resolve } = Promise.withResolvers<void>()
    const clock: Clock = {
      nowMs: () => real.nowMs(),
      monotonicMs: () => real.monotonicMs(),
      every: (periodMs, run) => real.every(periodMs, run),
      after: (delayMs, run) => {
        if (delayMs !== short.durationMs) return real.after(delayMs, run)
        void promise.then(run)
        return { [Symbol.dispose]: () => undefined }
      },
    }
    return { clock, enough: () => resolve() }
  }

  /** A load of forty requests to a server that answers like this. */
  async function loadOn(listener: RequestListener, facts = noFacts) {
    const { clock, enough } = untilEnough()
    let count = 0
    await using server = await served((request, response) => {
      listener(request, response)
      if (++count === 40) enough()
    })
    return await attempt({ ...short, url: server.url }, { facts, clock })
  }

  it('on an address finds errors and a slow answer', async () => {
    const good: RequestListener = (_request, response) => void response.end('ok')
    let count = 0
    const bad: RequestListener = (_request, response) => {
      response.statusCode = ++count % 5 === 0 ? 500 : 200
      response.end()
    }
    const slow: RequestListener = (_request, response) => void setTimeout(() => response.end(), 60)
    expect((await loadOn(good, stableAt(30_000))).outcome).toBe('passed')
    expect((await loadOn(bad, stableAt(30_000))).text).toContain('of the requests failed')
    expect((await loadOn(slow, stableAt(10))).text).toContain(', stable release ')
    expect((await loadOn(good)).outcome).toBe('warning')
  })

  it('on an address where nobody answers fails and does not run wild', async () => {
    const gone = await served(() => undefined)
    await gone[Symbol.asyncDispose]()
    const { outcome, output = '' } = await attempt({ ...short, url: gone.url })
    expect(outcome).toBe('failed')
    expect(Number(/^(\d+) requests/.exec(output)?.[1])).toBeLessThanOrEqual(4 * 11)
  })

  const release = (source: string) => requestOf({ argv: node(source), env: { GREETING: 'hello' } })
  const server = (answer: string) =>
    `require('node:http').createServer((request, response) => { ${answer} }).listen(process.env.PORT, '127.0.0.1')`

  it('on a copy of the release starts it, and ends it afterwards', async () => {
    const [pid, asked] = ['pid', 'asked'].map((name) => JSON.stringify(inDirectory(name)))
    const request = release(
      `const fs = require('node:fs'); fs.writeFileSync(${pid}, String(process.pid)); let count = 0;
      ${server(`response.end(process.env.GREETING); if (++count === 20) fs.writeFileSync(${asked}, '')`)}`,
    )
    const { clock, enough } = untilEnough()
    void written(inDirectory('asked')).then(enough)
    const verdict = await attempt(short, { request, facts: stableAt(30_000), clock })
    expect(verdict.outcome).toBe('passed')
    await gone([Number(readFileSync(inDirectory('pid'), 'utf8'))])
  })

  it('on a copy gives it what an instance gets, and no secret of the engine', async () => {
    await withSecrets(async () => {
      const request = release(
        `const e = process.env; console.log([e.MODE, e.GREETING, e.PILOTHOUSE_SERVICE, e.PILOTHOUSE_RELEASE, e.DATABASE_PASSWORD, /^r2-check-/.test(e.PILOTHOUSE_INSTANCE), e.PORT > 0].join('|')); process.exit(7)`,
      )
      request.release.parameters['MODE'] = 'live'
      expect((await attempt(short, { request })).output).toBe('live|hello|shop|r2||true|true\n')
    })
  })

  it('on a copy that breaks says how it ended, with what it printed', async () => {
    const verdict = await attempt(short, {
      request: release('console.error("no such table"); process.exit(7)'),
    })
    expect(verdict).toMatchObject({ outcome: 'failed', output: 'no such table\n' })
    expect(verdict.text).toContain('exited with code 7')
    const fragile = release(`let count = 0; ${server('if (++count > 5) process.exit(8); response.end()')}`)
    // Long enough for the sixth request on any machine; the load ends with the copy.
    const load = { ...short, durationMs: 20_000 }
    expect((await attempt(load, { request: fragile })).text).toContain('exited with code 8')
  })

  it('on a copy that never answers is given up when the check is stopped', async () => {
    const controller = new AbortController()
    const request = release(
      `require('node:fs').writeFileSync(${JSON.stringify(inDirectory('up'))}, ''); setInterval(() => {}, 1000)`,
    )
    const running = attempt(short, { request, signal: controller.signal })
    await written(inDirectory('up'))
    controller.abort()
    expect((await running).outcome).toBe('failed')
  })
})

describe('what the engine knows', () => {
  const answering = { observe: async () => ok({ instances: [], wanted: {} }) } as unknown as Target
  const routing = (code?: 'UNAVAILABLE' | 'NOT_FOUND') => {
    const reply = async () =>
      code ? fail(new AppError(code, 'Nobody answered.')) : ok({ bins: [], cursor: '' })
    return { read: reply, bins: reply } as unknown as Router
  }

  it('shows whether target and router answer, and that a new service is no trouble', async () => {
    const asked = (router: Router | null, target: Target | null = answering) =>
      attempt({ kind: 'reachable' }, { facts: { ...noFacts, target: () => target, router: () => router } })
    expect((await asked(routing())).outcome).toBe('passed')
    expect((await asked(routing('NOT_FOUND'))).outcome).toBe('passed')
    expect(await asked(routing('UNAVAILABLE'))).toMatchObject({ outcome: 'failed', isTransient: true })
    expect((await asked(routing(), null)).outcome).toBe('failed')
  })

  it('shows whether there will be data to judge on', async () => {
    const asked = (router: Router) =>
      attempt({ kind: 'data-quality' }, { facts: { ...noFacts, router: () => router } })
    expect((await asked(routing())).outcome).toBe('passed')
    expect((await asked(routing('UNAVAILABLE'))).outcome).toBe('failed')
  })
})

describe('a whole validation', () => {
  it('runs what is configured beside the built-in checks, and lets a good release pass', async () => {
    const surroundings = {
      clock: systemClock(),
      rng: systemRng(),
      facts: {
        ...noFacts,
        target: () => ({ observe: async () => ok({ instances: [], wanted: {} }) }) as unknown as Target,
        router: () => ({ read: async () => ok({}), bins: async () => ok({}) }) as unknown as Router,
      },
    }
    const validated = async (written: unknown) => {
      const checks = checksSchema.parse(written)
      const validator = validatorOf({
        ...surroundings,
        log: silentLog,
        checksOf: (request) => ok(checksFor(checks, request, surroundings)),
      })
      const result = await validator.validate(requestOf(), new AbortController().signal)
      if (!result.ok) throw result.error
      return result.value
    }
    const good = await validated([{ kind: 'command', argv: node('console.log("fine")') }])
    expect(good).toMatchObject({ canDeploy: true, failed: 0, passed: 6, warnings: 1 })
    const bad = await validated([{ kind: 'command', argv: node('process.exit(1)') }])
    expect(bad).toMatchObject({ canDeploy: false, failed: 1 })
    const tolerated = await validated([{ kind: 'command', critical: false, argv: node('process.exit(1)') }])
    expect(tolerated).toMatchObject({ canDeploy: true, failed: 1 })
  })

  it('lets nothing stand in the way back but what keeps the release from running', async () => {
    const always = { reason: 'closed', timeZone: 'UTC', cron: '0 * * * *', durationMs: 2 * 3_600_000 }
    const written = checksSchema.parse([
      { kind: 'freeze', windows: [always] },
      { kind: 'command', argv: ['false'] },
      { kind: 'tcp', host: '127.0.0.1', port: 1 },
    ])
    const kinds = (isUndo: boolean) =>
      checksFor(
        written,
        { ...requestOf(), plan: { isUndo } as Plan },
        { clock: systemClock(), rng: systemRng(), facts: noFacts },
      ).map(({ name }) => name)
    expect(kinds(true)).toEqual(['artifact', 'reachable', 'exclusive'])
    expect(kinds(false)).toEqual(expect.arrayContaining(['freeze', 'command', 'tcp', 'artifact']))
  })

  it('refuses a release where a host is fuller than its plan allows, and asks for no room without one', async () => {
    const full = { name: 'web-1', state: { use: [{ kind: 'memory', subject: '', ratio: 0.8 }], limits: [] } }
    const state = { ...full.state, quality: { freshness: 'fresh', canBeJudged: true, reasons: [] } }
    const facts = { ...noFacts, hosts: () => [{ ...full, state }] as unknown as readonly HostFact[] }
    const headroom = async (...options: PlanOptions[]) => {
      const plan = buildPlan(...options)
      if (!plan.ok) throw plan.error
      const request = { ...requestOf(), plan: plan.value }
      const checks = checksFor([], request, { clock: systemClock(), rng: systemRng(), facts })
      const check = checks.find(({ name }) => name === 'headroom')
      return { isCritical: check?.isCritical, ...(await check?.run(new AbortController().signal)) }
    }
    expect(await headroom({ preset: 'conservative' })).toMatchObject({
      isCritical: true,
      outcome: 'failed',
      text: 'Not enough host resources: memory use of web-1 is at 80%, limit 75% (deploy.resources.maxMemoryRatio).',
    })
    expect(await headroom({ preset: 'balanced' })).toMatchObject({ isCritical: true, outcome: 'passed' })
    expect(await headroom({ preset: 'conservative', isFix: true })).toMatchObject({ isCritical: false })
    expect(await headroom()).toMatchObject({ isCritical: false, outcome: 'passed' })
  })
})
