import { createServer, type Server } from 'node:http'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hookRunner } from '../../src/adapters/hooks/index.ts'
import { systemClock, systemRng } from '../../src/adapters/system/index.ts'
import { hookSchema, releaseSchema } from '../../src/contract/index.ts'
import type { HookContext } from '../../src/engine/deployments/index.ts'
import { outputLimitBytes } from '../../src/engine/validation/index.ts'
import { receivers, type ReceiverName } from '../support/webhook-receivers.ts'
import { addressOf } from '../../src/adapters/hooks/webhook.ts'
import { until } from '../support/until.ts'

const release = releaseSchema.parse({
  service: 'shop',
  id: 'r2',
  artifact: { kind: 'command', argv: ['node'], env: { REGION: 'eu' } },
  parameters: { MODE: 'live' },
  createdAtMs: 0,
  createdBy: { kind: 'operator', name: 'ann' },
})
const runner = hookRunner({
  clock: systemClock(),
  rng: systemRng(),
  origin: () => 'https://pilothouse.example',
  program: async () => ({ release, directory: tmpdir() }),
})
const context: HookContext = {
  key: 'd1:hook:0:1',
  deploymentId: 'd1',
  service: 'shop',
  candidateReleaseId: 'r2',
  stableReleaseId: null,
  phase: 'stepping',
  when: 'before',
  stepIndex: 1,
  weight: 10,
  ending: null,
  reason: '',
  atMs: 0,
}

type Body = Record<string, unknown>

const hook = (run: object, timeoutMs = 60_000) =>
  hookSchema.parse({ name: 'tell', when: 'before', phase: 'stepping', run, timeoutMs })
const script = (code: string, ...args: string[]) => ({
  kind: 'script',
  argv: [process.execPath, '-e', code, ...args],
})

async function outcomeOf(
  run: object,
  { timeoutMs, signal = new AbortController().signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
) {
  const result = await runner.run(hook(run, timeoutMs), context, signal)
  if (!result.ok) throw result.error
  return result.value
}

/** Whether a process runs: one that has ended and that nobody has asked about yet does not. */
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilothouse-hooks-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('a script as a hook', () => {
  it('is told of the deployment in its environment, and gives what it printed', async () => {
    const outcome = await outcomeOf(
      script(
        'const e = process.env; console.log([e.PILOTHOUSE_SERVICE, e.PILOTHOUSE_RELEASE, e.PILOTHOUSE_STABLE_RELEASE, e.PILOTHOUSE_STEP, e.PILOTHOUSE_WEIGHT, e.PILOTHOUSE_HOOK_KEY].join("|"))',
      ),
    )
    expect(outcome).toEqual({
      isSuccess: true,
      text: 'The hook tell succeeded.',
      output: 'shop|r2||1|10|d1:hook:0:1\n',
    })
  })

  it('runs in the directory of its service with the environment of the release, and no secret of the engine', async () => {
    process.env['DATABASE_PASSWORD'] = 'hidden'
    try {
      const { output } = await outcomeOf(
        script(
          'const e = process.env; console.log([e.MODE, e.REGION, e.DATABASE_PASSWORD, process.cwd()].join("|"))',
        ),
      )
      expect(output).toBe(`live|eu||${realpathSync(tmpdir())}\n`)
    } finally {
      delete process.env['DATABASE_PASSWORD']
    }
  })

  it('gets its arguments as they are written: no shell reads them', async () => {
    const outcome = await outcomeOf(script('console.log(process.argv[1])', '$(id); `id` && *'))
    expect(outcome.output).toBe('$(id); `id` && *\n')
  })

  it('fails with its exit code and what it said last, and when there is no such program', async () => {
    const failing = 'console.error("begin\\nno \\u001b[31mtoken=abcdefgh"); process.exit(3)'
    expect((await outcomeOf(script(failing))).text).toBe(
      'The hook tell exited with code 3. Output: no token=[redacted]',
    )
    expect(await outcomeOf({ kind: 'script', argv: [join(directory, 'absent')] })).toMatchObject({
      isSuccess: false,
      text: expect.stringContaining('the program does not exist') as string,
    })
  })

  it('is cut in what it prints', async () => {
    const { output } = await outcomeOf(script('process.stdout.write("x".repeat(1e6))'))
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(outputLimitBytes)
    expect(output).toMatch(/bytes left out/)
  })

  it('is stopped at its timeout with all that it started', async () => {
    const pids = join(directory, 'pids')
    const family = `const { spawn } = require('child_process'); const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']); require('fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid); console.log('begun'); setInterval(() => {}, 1000)`
    const outcome = await outcomeOf(script(family), { timeoutMs: 5000 })
    expect(outcome).toEqual({
      isSuccess: false,
      text: 'The hook tell took longer than 5 s and was stopped.',
      output: 'begun\n',
    })
    for (const pid of readFileSync(pids, 'utf8').split(' ')) expect(isAlive(Number(pid))).toBe(false)
  })

  it('that the engine stops says nothing of the deployment', async () => {
    const stop = new AbortController()
    const begun = join(directory, 'begun')
    const waits = script(
      `require('fs').writeFileSync(${JSON.stringify(begun)}, String(process.pid)); setInterval(() => {}, 1000)`,
    )
    const running = runner.run(hook(waits), context, stop.signal)
    const pid = await until('the script to run', () => {
      try {
        return Number(readFileSync(begun, 'utf8')) || undefined
      } catch {
        return undefined
      }
    })
    stop.abort()
    expect(await running).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } })
    expect(isAlive(pid)).toBe(false)
  })
})

describe('a webhook', () => {
  let server: Server
  const bodies: string[] = []
  let address: string
  beforeEach(async () => {
    bodies.length = 0
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString())
        if (request.url?.startsWith('/hang')) return
        if (request.url?.startsWith('/away')) response.setHeader('location', '/ok')
        response.statusCode = request.url?.startsWith('/bad')
          ? 500
          : request.url?.startsWith('/away')
            ? 302
            : 202
        response.end(request.url?.startsWith('/large') ? 'x'.repeat(1e6) : `${request.method} done`)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })
  const call = (path: string, timeoutMs?: number) =>
    outcomeOf({ kind: 'webhook', url: `${address}${path}` }, timeoutMs === undefined ? {} : { timeoutMs })

  it('gets the occasion as JSON; any 2xx is success', async () => {
    expect(await call('/ok?token=hidden')).toEqual({
      isSuccess: true,
      text: `${address} answered 202.`,
      output: 'POST done',
    })
    expect(bodies.map((body) => JSON.parse(body) as unknown)).toEqual([
      {
        ...context,
        text: 'shop: step 2 of r2 is starting; it has 10% of the traffic.',
        release: 'r2',
        outcome: 'in_progress',
        link: 'https://pilothouse.example/deployments/d1',
        at: '1970-01-01T00:00:00.000Z',
      },
    ])
  })

  it.each([
    ['slack', (body: Body) => Object.keys(body).join() === 'text' && typeof body['text'] === 'string'],
    ['discord', (body: Body) => typeof body['content'] === 'string' && body['content'].length <= 2000],
    [
      'teams',
      (body: Body) =>
        body['type'] === 'message' &&
        (body['attachments'] as Body[])[0]?.['contentType'] === 'application/vnd.microsoft.card.adaptive',
    ],
  ] as const)('posts what %s documents', async (format, isTaken) => {
    await outcomeOf({ kind: 'webhook', url: `${address}/ok`, format })
    const body = JSON.parse(bodies[0] ?? '') as Body
    expect(isTaken(body), JSON.stringify(body)).toBe(true)
    expect(JSON.stringify(body)).toContain('shop: step 2 of r2 is starting; it has 10% of the traffic.')
  })

  it('posts a body of its own, with values that cannot leave their string', async () => {
    const body = '{"summary": "{{text}}", "why": "{{reason}}", "n": 1}'
    const run = hook({ kind: 'webhook', url: `${address}/ok`, body })
    const reason = 'it said "no",\n{{service}}'
    await runner.run(run, { ...context, reason }, new AbortController().signal)
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ why: reason, n: 1 })
  })

  it.each(['{"text": "{{nothing}}"}', '{"text": {{text}', 'text'])(
    'cannot be given a body that is no JSON template: %s',
    (body) => {
      expect(() => hook({ kind: 'webhook', url: address, body })).toThrow(/placeholders/)
    },
  )

  it('fails with any other status, and follows no redirect', async () => {
    expect(await call('/bad')).toMatchObject({ isSuccess: false, text: `${address} answered 500.` })
    expect(await call('/away')).toMatchObject({ isSuccess: false, text: `${address} answered 302.` })
    expect(bodies).toHaveLength(2)
  })

  it('fails when nobody answers, and in time', async () => {
    expect(await call('/hang', 500)).toMatchObject({
      isSuccess: false,
      text: 'The hook tell took longer than 0.5 s and was stopped.',
    })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    expect(await call('/ok')).toMatchObject({
      isSuccess: false,
      text: expect.stringContaining('cannot be reached') as string,
    })
  })

  it('goes to the address that stands in a variable or a file at that moment, and tells nothing of it', async () => {
    const urlFile = join(directory, 'tell')
    writeFileSync(urlFile, `${address}/ok?token=hidden\n`)
    expect(await outcomeOf({ kind: 'webhook', urlFile })).toMatchObject({
      isSuccess: true,
      text: `${address} answered 202.`,
    })
    vi.stubEnv('TELL_URL', `${address}/bad?token=hidden`)
    expect((await outcomeOf({ kind: 'webhook', urlEnv: 'TELL_URL' })).text).toBe(`${address} answered 500.`)
    vi.stubEnv('TELL_URL', 'hidden')
    expect(await outcomeOf({ kind: 'webhook', urlEnv: 'TELL_URL' })).toEqual({
      isSuccess: false,
      text: 'No web address in the variable TELL_URL.',
      output: '',
    })
    vi.stubEnv('TELL_URL', 'file:///hidden')
    expect((await outcomeOf({ kind: 'webhook', urlEnv: 'TELL_URL' })).text).toMatch(/^No web address/)
    // A plan of an earlier version may hold one.
    const kept = await addressOf({ kind: 'webhook', url: 'file:///hidden' })
    expect(kept.ok ? kept.value : kept.error.message).toBe('No web address in its url.')
    vi.unstubAllEnvs()
    const gone = await outcomeOf({ kind: 'webhook', urlFile: join(directory, 'gone') })
    expect(gone.text).toContain(`No secret in the file ${join(directory, 'gone')}`)
    expect(bodies).toHaveLength(2)
  })

  it('keeps no more of an answer than is shown', async () => {
    const { isSuccess, output } = await call('/large')
    expect(isSuccess).toBe(true)
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(outputLimitBytes)
  })
})

describe('a receiver that keeps to its documents', () => {
  const nasty = 'it said "no" & <!everyone> \u0000\u001b[31m\ud83d\ude80 \\ '.repeat(3000)
  const reasons = ['r2 fails 20% of requests', nasty, '\ud83d\ude80'.repeat(30_000)]
  const occasions = (['validating', 'staging', 'stepping', 'promoting', 'rolling_back'] as const).flatMap(
    (phase) => (['before', 'after'] as const).map((when) => ({ phase, when })),
  )

  it.each(['slack', 'teams', 'discord', 'generic'] as const)('takes every message: %s', async (format) => {
    await using receiver = await listen(format)
    for (const occasion of occasions)
      for (const reason of reasons) {
        const run = hook({ kind: 'webhook', url: receiver.address, format })
        const result = await runner.run(
          run,
          { ...context, ...occasion, reason },
          new AbortController().signal,
        )
        expect(result, `${occasion.when} ${occasion.phase} ${reason.slice(0, 20)}`).toMatchObject({
          value: { isSuccess: true },
        })
      }
  })

  it.each([
    ['slack', '{"content": "x"}'],
    ['slack', '{"text": "<b>"}'],
    ['teams', '{"text": "x"}'],
    ['discord', '{"text": "x"}'],
    ['discord', JSON.stringify({ content: 'x'.repeat(2001) })],
  ] as const)('refuses what it does not know: %s %.20s', async (format, body) => {
    await using receiver = await listen(format)
    expect(await outcomeOf({ kind: 'webhook', url: receiver.address, body })).toMatchObject({
      isSuccess: false,
    })
  })

  async function listen(format: ReceiverName) {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const [status, text] = receivers[format](
          request.headers['content-type'] ?? '',
          Buffer.concat(chunks).toString(),
        )
        response.writeHead(status).end(text)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
      [Symbol.asyncDispose]: () =>
        new Promise<void>((resolve) => {
          server.closeAllConnections()
          server.close(() => resolve())
        }),
    }
  }
})
