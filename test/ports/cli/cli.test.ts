import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../../src/hosts/cli/program.ts'
import { startNode } from './process.ts'

const entry = fileURLToPath(new URL('../../../src/hosts/cli/start.ts', import.meta.url))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-cli-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const run = (args: string[], variables?: Record<string, string>) =>
  startNode(entry, args, directory, variables).ended
const config = (text: string) => writeFile(join(directory, 'pilothouse.yaml'), text)

describe('pilothouse config check', () => {
  it('ends with 0 and names the file when all is well', async () => {
    await config('environment: staging\n')
    const { code, stdout } = await run(['config', 'check'])
    expect(code).toBe(0)
    expect(stdout).toContain('pilothouse.yaml  (environment staging)')
  })

  it('ends with 1 and points at every mistake', async () => {
    await config('server:\n  prot: 1\nlogging:\n  level: loud\n')
    const { code, stderr } = await run(['config', 'check'], { PILOTHOUSE_SERVER_PORT: '1' })
    expect(code).toBe(1)
    expect(stderr).toContain(
      [
        'pilothouse.yaml:2:3  unknown key "prot", expected host, port, allowedOrigins, token',
        '  2 |   prot',
        '    |   ^',
        '  did you mean "port"?',
      ].join('\n'),
    )
    expect(stderr).toContain('pilothouse.yaml:4:10  found the string "loud"')
    expect(stderr).toContain('PILOTHOUSE_SERVER_PORT  no setting has this environment variable')
    expect(stderr).toContain('3 errors in the configuration')
  })

  it('gives the same as JSON', async () => {
    await config('servr: 1\n')
    const { code, stdout } = await run(['config', 'check', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, problems: [{ line: 1, column: 1, path: 'servr' }] })
  })

  it('shows no secret that stands in the wrong place, nor what a misspelt key holds', async () => {
    await config('server:\n  token: hunter2\npasswrd: hunter2\n"passwrd2": {a: hunter2}\n')
    const { stderr } = await run(['config', 'check'])
    expect(stderr).toContain('3 errors')
    expect(stderr).not.toContain('hunter2')
  })

  it('does not let the file write on the terminal', async () => {
    await config('server:\n  port: "\\e[2J"\nx: "\u0001\u001b[31m"\n')
    const { stderr } = await run(['config', 'check'])
    // eslint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/[\u0001\u001b]/)
  })
})

describe('pilothouse config show', () => {
  it('names value and origin of each setting, and masks secrets', async () => {
    await config('server:\n  port: 1234\n  token: {env: MY_TOKEN}\n')
    const args = ['config', 'show', '--environment', 'production']
    const { code, stdout } = await run(args, { MY_TOKEN: 'hunter2', PILOTHOUSE_LOGGING__LEVEL: 'warn' })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^server\.port \* +1234 +file .*pilothouse\.yaml:2:9$/m)
    expect(stdout).toMatch(/^environment +production +flag --environment$/m)
    expect(stdout).toMatch(/^logging\.level +warn +environment PILOTHOUSE_LOGGING__LEVEL$/m)
    expect(stdout).toMatch(/^telemetry\.retention\.raw +7d$/m)
    expect(stdout).toMatch(/^server\.token \* +••••••/m)
    expect(stdout).not.toContain('hunter2')
  })

  it('gives the same as JSON', async () => {
    const { stdout } = await run(['config', 'show', '--json', '--port', '0'])
    const shown = JSON.parse(stdout) as { entries: unknown[] }
    expect(shown.entries).toContainEqual(
      expect.objectContaining({ path: 'server.port', value: '0', origin: 'flag --port' }),
    )
  })
})

describe('pilothouse', () => {
  it('prints a JSON Schema', async () => {
    const { code, stdout } = await run(['config', 'schema'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object', additionalProperties: false })
  })

  it.each([[['--help']], [['serve', '--help']], [['config', 'check', '--help']]])(
    'helps with %j',
    async (args) => {
      const { code, stdout } = await run(args)
      expect(code).toBe(0)
      expect(stdout).toMatch(/^Usage\n {2}pilothouse/m)
    },
  )

  it('prints its version both ways', async () => {
    const [command, option] = await Promise.all([run(['version']), run(['--version'])])
    expect(command.stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
    expect(option.stdout).toBe(command.stdout)
  })

  it.each([
    [[]],
    [['sail']],
    [['serve', '--prot', '1']],
    [['config']],
    [['serve', 'extra']],
    [['serve', '--port']],
  ])('ends with 2 when used as %j', async (args) => {
    const { code, stderr } = await run(args)
    expect(code).toBe(2)
    expect(stderr).not.toBe('')
  })
})

describe('pilothouse serve', () => {
  it('ends with 1 and the mistakes when the config is bad', async () => {
    const { code, stderr } = await run(['serve', '--no-open', '--port', 'x'])
    expect(code).toBe(1)
    expect(stderr).toContain('--port  found the string "x"')
  })

  it('ends with 1 and the place when its token is missing', async () => {
    await config('server: {token: {env: MY_TOKEN}}\n')
    const { code, stderr } = await run(['serve', '--no-open', '--port', '0'])
    expect(code).toBe(1)
    expect(stderr).toContain('No secret in the variable MY_TOKEN')
  })

  it('warns once of variables that are not settings, and starts', async () => {
    const served = startNode(entry, ['serve', '--no-open', '--port', '0'], directory, {
      PILOTHOUSE_DIR: '/opt/pilothouse',
    })
    await served.until('stdout', /is open at/)
    served.signal('SIGTERM')
    const { code, stderr } = await served.ended
    expect(code).toBe(0)
    expect(stderr.split('PILOTHOUSE_DIR')).toHaveLength(2)
    expect(stderr).toMatch(/^warning: the environment variable PILOTHOUSE_DIR is not a setting/m)
  })
})

describe('pilothouse init', () => {
  const file = () => join(directory, 'pilothouse.yaml')
  const init = ['init', 'shop', '--port', '8123', '--health', '/ok', '--', 'node', 'server.js', '{port}']

  it('writes a config of one service that is good as it stands, and says what comes next', async () => {
    const { code, stdout } = await run(init)
    expect(code).toBe(0)
    expect(stdout).toContain(`Written to ${file()}`)
    expect(stdout).toContain('pilothouse deploy shop r1')
    expect((await run(['config', 'check'])).code).toBe(0)
    const { stdout: shown } = await run(['config', 'show'])
    expect(shown).toMatch(/services\.shop\.listen\.port +8123/)
  })

  it('overwrites nothing', async () => {
    await config('environment: staging\n')
    const { code, stderr } = await run(init)
    expect(code).toBe(1)
    expect(stderr).toContain('A configuration already exists')
    expect(await readFile(file(), 'utf8')).toBe('environment: staging\n')
  })

  it.each([
    ['another name beside it', 'pilothouse.json', []],
    ['the one of this user, which it would hide', '.config/pilothouse/pilothouse.yaml', []],
    ['the named file', 'other.yaml', ['--config', 'other.yaml']],
  ])('refuses before it asks when a config exists: %s', async (_, name, flags) => {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), '')
    const { code, asked, text } = await initAsking(['init', ...flags], [])
    expect(asked).toEqual([])
    expect(code).toBe(1)
    expect(text).toContain(name)
  })

  it('refuses before it asks when the file cannot be written', async () => {
    await writeFile(join(directory, 'taken'), '')
    const { code, asked, text } = await initAsking(['init', '--config', 'taken/pilothouse.yaml'], [])
    expect(asked).toEqual([])
    expect(code).toBe(1)
    expect(text).toContain('Cannot write')
    expect(text).toContain('--config FILE')
  })

  it('says what is missing when nobody is there to be asked, and what is mistaken, and writes nothing', async () => {
    const missing = await run(['init', 'shop'])
    expect(missing.code).toBe(2)
    expect(missing.stderr).toContain('pilothouse init shop -- COMMAND')
    const mistaken = await run(['init', 'shop', '--port', 'many', '--', 'node', 'x.js'])
    expect(mistaken.code).toBe(2)
    expect(mistaken.stderr).toContain('Nothing was written.')
    await expect(readFile(file())).rejects.toThrow('ENOENT')
  })

  it('says what is wrong with what was typed before what is wrong with the place', async () => {
    await config('environment: staging\n')
    const missing = await run(['init', 'shop'])
    expect(missing).toMatchObject({ code: 2 })
    expect(missing.stderr).toContain('pilothouse init shop -- COMMAND')
    const { code, asked, text } = await initAsking(['init', '--port', 'many'], [])
    expect({ code, asked }).toEqual({ code: 2, asked: [] })
    expect(text).toContain('expected a whole number from 0 to 65535')
  })

  it('asks for what was left out, and takes quoted words of a command as one', async () => {
    const { code, text: told } = await initAsking(
      ['init'],
      ['shop', `node "my server.js" '{port}'`, '', '/healthz'],
    )
    expect(code, told).toBe(0)
    const text = await readFile(file(), 'utf8')
    expect(text).toContain('port: 8080')
    expect(text).toContain('path: /healthz')
    expect(text).toMatch(/- node\n +- my server\.js\n +- "\{port\}"/)
  })

  /** With somebody at the terminal who gives these answers. */
  async function initAsking(args: string[], answers: string[]) {
    const asked: string[] = []
    const written: string[] = []
    const output = {
      write: (text: string) => void written.push(text),
      isClosed: () => false,
      isTerminal: false,
      width: Infinity,
      isColoured: false,
      style: (_: string, text: string) => text,
    }
    const code = await runCli(args, {
      out: output,
      err: output,
      system: { platform: 'linux', variables: {}, home: directory, workingDirectory: directory },
      bundle: { screens: 'none' },
      person: {
        isThere: true,
        ask: (question) => {
          asked.push(question)
          return Promise.resolve(answers.shift() ?? '')
        },
      },
    })
    return { code, asked, text: written.join('') }
  }
})
