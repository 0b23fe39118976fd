import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkConfig, showConfig } from '../../../../src/hosts/cli/config-commands.ts'
import { cellWidth } from '../../../../src/hosts/cli/layout/index.ts'
import { expectFits, terminal } from './terminal.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-config-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

interface Terminal {
  width?: number
  isJson?: boolean
  variables?: Record<string, string>
}

/** Runs a command on a file of this text, in a terminal of this width. */
async function run(
  command: typeof checkConfig,
  text: string,
  { width = Infinity, isJson = false, variables = {} }: Terminal = {},
) {
  await writeFile(join(directory, 'pilothouse.yaml'), text)
  const system = { platform: 'linux' as const, variables, home: directory, workingDirectory: directory }
  const [out, err] = [terminal(width), terminal(width)]
  const code = await command({ system }, isJson, { out, err })
  return { code, out: out.text, err: err.text }
}

const services = `services:
  ${'checkout-of-the-whole-shop-'.repeat(2)}eu:
    listen: {port: 8080}
    releases:
      r1: {command: [node, server.js, --message, "日本語のとても長い文章がここにあります", --port, "{port}"]}
`
const mistakes = `server:
  prot: 1
logging: {level: loud, destination: "日本語のとても長い文章がここにあります日本語のとても長い文章がここにあります", x: 1}
telemetry: {interval: 5 parsecs, limits: {cpu: {warning: 95%, critical: 80%}}}
`

describe.each([40, 80, 120])('on a terminal of %i cells', (width) => {
  it('config show has no wider line, and names every setting with value and origin', async () => {
    const { code, out, err } = await run(showConfig, services, { width })
    expect(code, err).toBe(0)
    expectFits(out, width)
    expect(out.replace(/…?\s+/g, ' ')).toMatch(/pilothouse\.yaml:3:20/)
  })

  it('config check has no wider line, whether the file is good or not', async () => {
    const good = await run(checkConfig, services, { width, variables: { PILOTHOUSE_DIR: 'x'.repeat(200) } })
    expect(good.code).toBe(0)
    expectFits(good.out + good.err, width)
    const bad = await run(checkConfig, mistakes, { width })
    expect(bad.code).toBe(1)
    expectFits(bad.err, width)
  })
})

describe('a mistake in the configuration', () => {
  it('is pointed at with a caret, also behind characters of two cells and on a narrow terminal', async () => {
    for (const width of [40, 80]) {
      const { err } = await run(checkConfig, 'logging: {"日本語日": {}, x: 1}\n', { width })
      const lines = err.split('\n')
      const at = lines.findLastIndex((each) => each.endsWith('^'))
      const [line = '', caret = ''] = lines.slice(at - 1)
      expect(line).toMatch(/日.* x$/)
      expect(caret.length).toBe(cellWidth(line))
    }
  })
})

describe('config show', () => {
  it('shows what somebody set first, with who set it, and never breaks a name on a wide enough terminal', async () => {
    const { out } = await run(showConfig, 'server: {port: 9000}\nlogging: {level: warn}\n', { width: 80 })
    const lines = out.split('\n').map((line) => line.replace(/ {2,}/g, '  '))
    expect(lines.slice(0, 5)).toEqual([
      'SETTING  VALUE  SET BY',
      'server.port *  9000  file pilothouse.yaml:1:16',
      'logging.level  warn  file pilothouse.yaml:2:18',
      '',
      'DEFAULT  VALUE',
    ])
    expect(lines).toContain('deploy.limits.maxErrorRatioToStable  2')
    expect(lines.at(-2)).toBe('* A change takes effect after the engine restarts.')
  })

  it('lets no value write on the terminal', async () => {
    const { out } = await run(showConfig, services.replace('--message', '"a\\e[2Jb"'))
    // eslint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\u0000-\u0009\u001b]/)
  })
})

describe('a variable named after Pilothouse that resembles no setting', () => {
  const variables = { PILOTHOUSE_DIR: '/opt/x', PILOTHOUSE_BACKUPS: '3' }

  it('is a warning of config check, and no error', async () => {
    const { code, out, err } = await run(checkConfig, 'environment: staging\n', { variables })
    expect(code).toBe(0)
    expect(out).toMatch(/^ok {2}/)
    expect(err).toBe(
      'warning: the environment variables PILOTHOUSE_BACKUPS, PILOTHOUSE_DIR are not settings and are ignored\n',
    )
  })

  it('is named in JSON', async () => {
    const { out, err } = await run(checkConfig, '', { variables, isJson: true })
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      ignoredVariables: ['PILOTHOUSE_BACKUPS', 'PILOTHOUSE_DIR'],
    })
    expect(err).toBe('')
  })

  it('is passed over in silence by config show', async () => {
    expect(await run(showConfig, '', { variables })).toMatchObject({ code: 0, err: '' })
  })
})
