import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import {
  completionScript,
  examplesOf,
  leavesOf,
  pathOf,
  referenceText,
} from '../../../../src/hosts/cli/help/index.ts'
import { commandLine, theProgram } from '../../../support/command-line.ts'
import { expectFits } from './terminal.ts'

const where = { directory: tmpdir() }
const leaves = leavesOf(theProgram())
const wordsOf = (path: string) => path.split(' ').slice(1)

describe.each(leaves.map((command) => [pathOf(command), command] as const))('%s', (path, command) => {
  it('explains itself with usage, every option and an example, and ends with 0', async () => {
    const { code, stdout, stderr } = await commandLine([...wordsOf(path), '--help'], where)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage\n  ${path}`)
    for (const { long = '' } of command.options) expect(stdout).toContain(long)
    expect(stdout).toMatch(/\nExamples\n {2}\S/)
    const byHelp = await commandLine(['help', ...wordsOf(path)], where)
    expect(byHelp).toEqual({ code: 0, stdout, stderr: '' })
  })

  it('has help that fits a narrow terminal', async () => {
    const { stdout } = await commandLine([...wordsOf(path), '--help'], { ...where, width: 40 })
    expectFits(stdout, 40)
  })

  it('describes each argument and option in a sentence of its own', () => {
    const told = [...command.options, ...command.registeredArguments].map(({ description }) => description)
    for (const text of [command.description(), ...told]) expect(text).toMatch(/^([A-Z]|\w+: )[^\n]*[^.\n]$/)
  })

  it('shows only examples of itself, with options that it has', () => {
    const flags = [...command.options, ...(command.parent?.options ?? [])].flatMap(({ short, long }) => [
      short,
      long,
    ])
    for (const { line } of examplesOf(command)) {
      expect(line).toContain(path)
      const [own = ''] = line.split(' -- ')
      for (const [flag] of own.matchAll(/(?<= )--?[a-z][\w-]*/g)) expect(flags).toContain(flag)
    }
  })

  it('says of a mistyped option which one was meant, or how it is used, and ends with 2', async () => {
    const { code, stdout, stderr } = await commandLine([...wordsOf(path), '--hlep'], where)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain("Unknown option '--hlep'. Did you mean --help?")
    expect(stderr).toContain(`Usage: ${path}`)
  })

  it('says of a mistyped name of itself what was meant, and ends with 2', async () => {
    const words = wordsOf(path)
    const last = words.at(-1) ?? ''
    const mistyped = [...words.slice(0, -1), `${last.slice(0, 1)}x${last.slice(1)}`]
    const { code, stderr } = await commandLine(mistyped, where)
    expect(code).toBe(2)
    expect(stderr).toContain(`Did you mean ${last}?`)
  })
})

describe('a mistaken command line', () => {
  it('lists the commands when none is near', async () => {
    const { code, stderr } = await commandLine(['frobnicate'], where)
    expect(code).toBe(2)
    for (const command of theProgram().commands) expect(stderr).toContain(command.name())
  })

  it.each([
    [['services', 'shop', 'restrt'], 'Did you mean restart?'],
    [['deploy', 'shop', 'r1', '--preset', 'blanced'], 'Did you mean balanced?'],
    [['help', 'edge', 'statsu'], 'Did you mean status?'],
  ])('names the nearest choice in %j', async (args, text) => {
    const { code, stderr } = await commandLine(args, where)
    expect(code).toBe(2)
    expect(stderr).toContain(text)
  })

  it('is one JSON document for a program', async () => {
    const { code, stdout } = await commandLine(['deplyo', '--json'], where)
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'BAD_INPUT', message: "Unknown command 'deplyo'. Did you mean deploy?" },
    })
  })
})

describe('what is derived from the commands', () => {
  it('is the page of the documentation: write it with `pilothouse help --markdown > docs/cli.md`', () => {
    const page = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8')
    expect(page).toBe(referenceText(theProgram()))
  })

  it.each(['bash', 'zsh', 'fish'] as const)('is a completion of %s that knows every command', (shell) => {
    const script = completionScript(shell, theProgram())
    for (const command of leaves) expect(script).toContain(wordsOf(pathOf(command)).join(' '))
  })

  const complete = (...words: string[]) => {
    const script = `${completionScript('bash', theProgram())}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _pilothouse; echo "\${COMPREPLY[*]}"`
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ')
  }
  it.skipIf(process.platform === 'win32')('completes commands, options and choices in bash', () => {
    expect(complete('pilothouse', 'dep')).toEqual(['deploy', 'deployments'])
    expect(complete('pilothouse', 'edge', 'st')).toEqual(['status', 'start', 'stop'])
    expect(complete('pilothouse', 'edge', 'stop', '--wi')).toEqual(['--with-instances'])
    expect(complete('pilothouse', 'deploy', 'shop', 'r1', '--preset', '')).toContain('balanced')
    expect(complete('pilothouse', 'services', 'shop', 're')).toEqual(['restart', 'remove'])
    expect(complete('pilothouse', 'serve', '--config', '')).toEqual([''])
  })
})
