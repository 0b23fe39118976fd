import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startNode } from './process.ts'
import { aDeployment, serveScriptedOperations, type ScriptedOperations } from './scripted-operations.ts'

const cli = fileURLToPath(new URL('../../../src/hosts/cli/start.ts', import.meta.url))

let directory: string
let engine: ScriptedOperations

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ph-tty-'))
  await mkdir(join(directory, 'data'))
  engine = await serveScriptedOperations(join(directory, 'data'))
  engine.show(engine.script.deployment)
})
afterEach(async () => {
  await engine[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const start = (args: string[], variables: Record<string, string> = {}) =>
  startNode(cli, [...args, '--data-dir', 'data'], directory, variables)

describe.skipIf(process.platform === 'win32')('a watched deployment', () => {
  it('goes on after Ctrl-C, which ends the command with 130 and says how to follow it again', async () => {
    const watching = start(['deployments', 'show', 'd1', '--watch'])
    await watching.until('stdout', /step 1 of 2/)
    watching.signal('SIGINT')
    const { code, stderr } = await watching.ended
    expect(code).toBe(130)
    expect(stderr).toContain('The deployment continues.')
    expect(stderr).toContain('pilothouse deployments show d1 --watch --data-dir data')
    expect(engine.script.calls).toEqual([])
  })

  it('ends with a quiet 141 when whoever read it has gone', async () => {
    const child = spawn(
      process.execPath,
      [cli, 'deployments', 'show', 'd1', '--watch', '--data-dir', 'data'],
      {
        cwd: directory,
        env: { PATH: process.env['PATH'], HOME: directory },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const ended = once(child, 'exit')
    let revision = 10
    const changing = setInterval(
      () => engine.show(aDeployment({ revision: revision++, weight: revision })),
      50,
    )
    try {
      expect(await ended).toEqual([141, null])
    } finally {
      clearInterval(changing)
    }
    expect(stderr).toBe('')
  })
})

describe('output that nobody looks at', () => {
  it('has no colors, and those that FORCE_COLOR asks for', async () => {
    const [plain, forced, none] = await Promise.all([
      start(['services']).ended,
      start(['services'], { FORCE_COLOR: '1' }).ended,
      start(['services'], { FORCE_COLOR: '0' }).ended,
    ])
    expect(plain.stdout).not.toContain('\u001b')
    expect(forced.stdout).toContain('\u001b[')
    expect(none.stdout).toBe(plain.stdout)
  })
})
