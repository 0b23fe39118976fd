import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const isolated = ['-Urpf', '--mount-proc']
const canIsolate = process.platform === 'linux' && spawnSync('unshare', [...isolated, 'true']).status === 0
const source = join(import.meta.dirname, '../../src/hosts/init-process.ts')

/** Leaves an orphan behind that ends at once, and prints whether it was collected within 5 s. */
const program = `
  import { leaveProcessOne } from ${JSON.stringify(source)}
  import { spawnSync } from 'node:child_process'
  import { readdirSync, readFileSync } from 'node:fs'
  leaveProcessOne()
  process.on('SIGTERM', () => process.exit(7))
  const states = () => readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync('/proc/' + name + '/stat', 'latin1')
      return stat.includes('(sleep)') ? [stat.slice(stat.lastIndexOf(')') + 2)[0]] : []
    } catch {
      return []
    }
  })
  spawnSync('sh', ['-c', 'setsid sleep 0.2 & exit 0'])
  const untilMs = performance.now() + 5000
  const look = () => {
    if (states().length > 0 && performance.now() < untilMs) return setTimeout(look, 20)
    console.log('pid', process.pid === 1 ? 'one' : 'other', 'zombies', states().length)
    process.kill(1, 'SIGTERM')
    setTimeout(() => {}, 60_000)
  }
  look()
`

describe.runIf(canIsolate)('a program that is process 1 of a container', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-init-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('collects orphans, passes signals on and keeps its exit code', () => {
    const file = join(directory, 'program.mjs')
    writeFileSync(file, program)
    const { stdout, status } = spawnSync('unshare', [...isolated, process.execPath, file], {
      encoding: 'utf8',
    })
    expect(stdout).toBe('pid other zombies 0\n')
    expect(status).toBe(7)
  })
})
