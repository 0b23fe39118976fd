import { execFileSync } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, closeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const source = (path: string) =>
  JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../src', path)).href)

/** Runs a command that tells what it has open, and tells that. */
const program = `
  import { runCommand } from ${source('adapters/commands/index.ts')}
  import { systemClock, systemRng } from ${source('adapters/system/index.ts')}
  const told = "for (const name of fs.readdirSync('/proc/self/fd')) try { console.log(fs.readlinkSync('/proc/self/fd/' + name)) } catch {}"
  const end = await runCommand(
    { argv: [process.execPath, '-e', told], cwd: '/', env: {}, signal: new AbortController().signal },
    { clock: systemClock(), rng: systemRng() },
  )
  console.log(JSON.stringify(end))
`

describe.runIf(process.platform === 'linux')('a command of a process whose starter has files open', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-command-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('gets none of them', () => {
    const secretPath = join(directory, 'secret')
    const secret = openSync(secretPath, 'w', 0o600)
    const stdio = Array.from({ length: 201 }, (_, at) =>
      at === 200 ? secret : at === 1 ? ('pipe' as const) : ('ignore' as const),
    )
    const args = ['--input-type=module', '-e', program]
    const { kind, output } = JSON.parse(execFileSync(process.execPath, args, { stdio }).toString()) as {
      kind: string
      output: string
    }
    closeSync(secret)
    expect(kind).toBe('exited')
    expect(output).toContain('/dev/null')
    expect(output).not.toContain(secretPath)
  })
})
