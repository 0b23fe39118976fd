import { person } from '../../support/person.ts'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { deploymentSchema, edgeProcedures, errorCodes, contract } from '../../../src/contract/index.ts'
import { leavesOf, pathOf } from '../../../src/hosts/cli/help/index.ts'
import { cellWidth } from '../../../src/hosts/cli/layout/index.ts'
import { commandLine, theProgram } from '../../support/command-line.ts'
import { aDeployment, serveScriptedOperations, type ScriptedOperations } from './scripted-operations.ts'

let directory: string
let engine: ScriptedOperations

/** Words that write on a terminal, turn text around, are wide, and do not break. */
const hostile = `\u001b[31mred\u0007\u202e ${'危険'.repeat(12)} ${'a-long-word-'.repeat(8)} e\u0301 \u001b]0;title\u0007\r\nnext`

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ph-all-'))
  await mkdir(join(directory, 'data'), { mode: 0o700 })
  await writeFile(join(directory, 'shop.yaml'), 'listen: { port: 8080 }\nhealth: { path: / }\n')
  engine = await serveScriptedOperations(join(directory, 'data'))
})
afterAll(async () => {
  await commandLine(['edge', 'stop', '--with-instances', '--data-dir', 'data'], { directory })
  await engine[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const outputOf = (procedure: { '~orpc': { outputSchema?: unknown } }) =>
  procedure['~orpc'].outputSchema as z.ZodType
const { services, releases, deployments, rollback, audit } = contract

interface Use {
  /** Words after those of the command that give a result. */
  args?: readonly string[]
  /** Words after those of the command that fail, and how; null where there is no engine or file to miss. */
  fails: { args: readonly string[]; code: (typeof errorCodes)[number] } | null
  /** What the result is as JSON; null where it is text for another program. */
  result: z.ZodType | null
}

const d1 = { args: ['d1'], fails: { args: ['d9'], code: 'NOT_FOUND' }, result: deploymentSchema } as const
const aWay = z.object({
  service: z.string(),
  kind: z.string(),
  from: z.string(),
  to: z.string(),
  text: z.string(),
})
const noEngine = { args: ['--data-dir', 'elsewhere'], code: 'UNAVAILABLE' } as const
const badConfig = { args: ['--config', 'absent.yaml'], code: 'CONFIG_INVALID' } as const
const directoryField = z.object({ directory: z.string() })
const edge = edgeProcedures.status.output.extend(directoryField.shape)

/** Every command that ends by itself, each with the fields of its JSON. */
const uses: Record<string, Use[]> = {
  init: [
    {
      args: ['shop', '--config', 'new.yaml', '--', 'node', 'shop.js'],
      fails: { args: [], code: 'BAD_INPUT' },
      result: z.object({
        path: z.string(),
        service: z.literal('shop'),
        text: z.string(),
        next: z.array(z.string()),
      }),
    },
  ],
  'config check': [{ fails: null, result: z.object({ ok: z.literal(true), problems: z.tuple([]) }) }],
  'config show': [
    { fails: null, result: z.object({ ok: z.literal(true), entries: z.array(z.unknown()).min(9) }) },
  ],
  'config schema': [{ fails: null, result: z.object({ type: z.literal('object') }) }],
  'edge start': [{ fails: badConfig, result: edge }],
  'edge status': [{ fails: noEngine, result: edge }],
  'edge upgrade': [
    {
      fails: noEngine,
      result: directoryField.extend({
        from: z.strictObject({ pid: z.number(), version: z.string() }),
        to: z.strictObject({ pid: z.number(), version: z.string() }),
      }),
    },
  ],
  'edge stop': [
    {
      args: ['--with-instances'],
      fails: noEngine,
      result: directoryField.extend({ withInstances: z.literal(true) }),
    },
  ],
  'edge install': [
    {
      args: ['--print'],
      fails: badConfig,
      result: z.object({ path: z.string(), unit: z.string(), commands: z.array(z.string()) }),
    },
  ],
  open: [{ args: ['--print'], fails: noEngine, result: z.strictObject({ url: z.url() }) }],
  deploy: [
    {
      args: ['shop', 'r2'],
      fails: { args: ['card', 'r2'], code: 'NOT_FOUND' },
      result: deploymentSchema,
    },
    { args: ['shop', 'r2', '--dry-run'], fails: noEngine, result: outputOf(deployments.rehearse) },
  ],
  validate: [
    {
      args: ['shop', 'r2'],
      fails: { args: ['shop', 'r2', '--data-dir', 'elsewhere'], code: 'UNAVAILABLE' },
      result: z.object({ canDeploy: z.boolean(), results: z.array(z.unknown()).min(1) }),
    },
  ],
  'deployments list': [
    { fails: { args: ['--service', 'card'], code: 'NOT_FOUND' }, result: outputOf(deployments.list) },
  ],
  'deployments show': [d1],
  'deployments pause': [d1],
  'deployments resume': [d1],
  'deployments skip': [d1],
  'deployments promote': [d1],
  'deployments abort': [d1],
  'deployments retry': [d1],
  'deployments undo': [
    { args: ['shop'], fails: { args: ['card'], code: 'NOT_FOUND' }, result: deploymentSchema },
  ],
  rollback: [
    {
      args: ['shop'],
      fails: { args: ['shop', '--data-dir', 'elsewhere'], code: 'UNAVAILABLE' },
      result: outputOf(rollback.emergency),
    },
    { args: ['--list'], fails: { args: [], code: 'BAD_INPUT' }, result: z.array(aWay).min(1) },
  ],
  resume: [
    { args: ['shop'], fails: { args: ['card'], code: 'NOT_FOUND' }, result: outputOf(services.resume) },
  ],
  services: [
    { fails: noEngine, result: outputOf(services.list) },
    {
      args: ['shop'],
      fails: { args: ['card'], code: 'NOT_FOUND' },
      result: outputOf(services.resume),
    },
    {
      args: ['shop', 'restart'],
      fails: { args: ['shop', 'restrat'], code: 'BAD_INPUT' },
      result: outputOf(services.restart),
    },
    {
      args: ['shop', 'declare', 'shop.yaml'],
      fails: { args: ['shop', 'declare', 'absent.yaml'], code: 'NOT_FOUND' },
      result: outputOf(services.declare),
    },
    {
      args: ['shop', 'declaration'],
      fails: { args: ['card', 'declaration'], code: 'NOT_FOUND' },
      result: outputOf(services.declaration),
    },
    {
      args: ['shop', 'remove'],
      fails: { args: ['shop', 'declare'], code: 'BAD_INPUT' },
      result: outputOf(services.remove),
    },
  ],
  logs: [
    {
      args: ['shop'],
      fails: { args: ['shop', '--lines', '0'], code: 'BAD_INPUT' },
      result: outputOf(services.logs),
    },
  ],
  releases: [
    { args: ['shop'], fails: { args: ['card'], code: 'NOT_FOUND' }, result: outputOf(releases.list) },
    {
      args: ['shop', 'add', 'r3', '--', 'node', 'shop.js', '--json'],
      fails: { args: ['shop', 'add', 'r3'], code: 'BAD_INPUT' },
      result: outputOf(releases.create),
    },
    {
      args: ['shop', 'compare', 'r1', 'r2'],
      fails: { args: ['shop', 'compare', 'r1'], code: 'BAD_INPUT' },
      result: outputOf(releases.compare),
    },
  ],
  'audit list': [{ fails: noEngine, result: outputOf(audit.list) }],
  'audit verify': [
    { fails: { args: ['--against', 'absent'], code: 'BAD_INPUT' }, result: outputOf(audit.verify) },
  ],
  'audit export': [
    {
      fails: { args: ['--format', 'xml'], code: 'BAD_INPUT' },
      result: z.array(z.object({ seq: z.number() })),
    },
  ],
  version: [{ fails: { args: ['1'], code: 'BAD_INPUT' }, result: z.strictObject({ version: z.string() }) }],
}

/** Commands without a result: they run until they are ended, change only files of the system, or print text for shells. */
const withoutResult = ['demo', 'serve', 'edge uninstall', 'help', 'completion']

const failureSchema = z.strictObject({
  error: z.strictObject({
    code: z.enum(errorCodes),
    message: z.string().min(1),
    action: z.string(),
    retryable: z.boolean(),
    details: z.record(z.string(), z.unknown()),
  }),
})

const everyUse = Object.entries(uses).flatMap(([path, each]) =>
  each.map((use) => [[path, ...(use.args ?? [])].join(' '), { path: path.split(' '), ...use }] as const),
)

/** The words of a use; options go before what a release is started with. */
function words(
  { path, args = [] }: { path: readonly string[]; args?: readonly string[] },
  ...options: string[]
): string[] {
  const end = args.indexOf('--')
  const [own, rest] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end)]
  return [...path, ...own, ...options, ...rest]
}

const isOfEngine = (path: string[]) => !['init', 'version'].includes(path[0] ?? '') && path[1] !== 'schema'
const place = (path: string[]) => (isOfEngine(path) ? ['--data-dir', 'data'] : [])

async function run(args: string[], width = Infinity) {
  engine.script.words = width === Infinity ? null : hostile
  engine.script.deployment = aDeployment()
  engine.script.outcomes = [
    {
      service: 'shop',
      ok: true,
      releaseId: 'r1',
      fromReleaseId: 'r2',
      tookMs: 3,
      text: engine.script.words ?? 'All traffic of shop goes to r1',
    },
  ]
  if (engine.script.words !== null)
    Object.assign(engine.script.deployment, {
      reason: hostile,
      why: hostile,
      createdBy: person(hostile),
      log: [{ atMs: 0, severity: 'ok', actor: person(hostile), text: hostile }],
    })
  await rm(join(directory, 'new.yaml'), { force: true })
  const needsEdge = args[0] === 'edge' && ['status', 'upgrade', 'stop'].includes(args[1] ?? '')
  if (needsEdge && args.includes('data'))
    await commandLine(['edge', 'start', '--data-dir', 'data'], { directory })
  return commandLine(args, { directory, width })
}

it('knows how each command is used', () => {
  const known = leavesOf(theProgram()).map((command) => pathOf(command).split(' ').slice(1).join(' '))
  expect([...Object.keys(uses), ...withoutResult].sort()).toEqual(known.sort())
})

describe.each(everyUse)('pilothouse %s', (_, use) => {
  it('writes one JSON document with the fields of the contract, and ends as it does without --json', async () => {
    const plain = await run(words(use, ...place(use.path)))
    const { code, stdout, stderr } = await run(words(use, ...place(use.path), '--json'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: plain.stderr })
    expect(code).toBe(plain.code)
    use.result?.parse(JSON.parse(stdout))
  })

  it('writes a failure as JSON with its code, and ends as it does without --json', async () => {
    if (!use.fails) return
    const { args, code: expected } = use.fails
    const where = args.includes('--data-dir') ? [] : place(use.path)
    const failing = {
      path: use.path,
      args: args[0]?.startsWith('--data') ? [...(use.args ?? []), ...args] : args,
    }
    const plain = await run(words(failing, ...where))
    const { code, stdout, stderr } = await run(words(failing, ...where, '--json'))
    expect({ code, stderr }).toEqual({ code: plain.code, stderr: plain.stderr })
    expect(code).not.toBe(0)
    expect(plain.stdout).toBe('')
    expect(failureSchema.parse(JSON.parse(stdout)).error.code).toBe(expected)
  })

  it.each([40, 80, 200])('fits a terminal of %i cells, whatever names and texts say', async (width) => {
    const { code, stdout, stderr } = await run(words(use, ...place(use.path)), width)
    expect(code, stderr).toBe(0)
    const isForPrograms =
      use.path.join(' ') === 'config schema' || use.path[1] === 'export' || use.args?.includes('--print')
    for (const text of isForPrograms ? [stderr] : [stdout, stderr]) {
      const wide = text.split('\n').filter((line) => cellWidth(line) > width)
      expect(wide).toEqual([])
      // eslint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    }
  })
})
