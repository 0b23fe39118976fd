import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toolScript } from '../../../build/bootstrap/tools.mjs'
import config from '../../../.dependency-cruiser.mjs'

const project = join(import.meta.dirname, '../../..')

/** One file that breaks each rule: [rule, file, what it imports]. */
const violations: [rule: string, file: string, target: string][] = [
  ['layer-base', 'src/base/reaches-up.ts', '../contract/index.ts'],
  ['layer-contract', 'src/contract/reaches-up.ts', '../engine/core/index.ts'],
  ['layer-engine', 'src/engine/core/reaches-out.ts', '../../adapters/disk.ts'],
  ['layer-adapters', 'src/adapters/reaches-up.ts', '../hosts/serve.ts'],
  ['layer-demo', 'src/demo/reaches-over.ts', '../adapters/disk.ts'],
  ['layer-edge', 'src/edge/reaches-over.ts', '../engine/core/index.ts'],
  ['layer-hosts', 'src/hosts/reaches-over.ts', '../renderer/screen.ts'],
  ['layer-renderer', 'src/renderer/reaches-over.ts', '../engine/core/index.ts'],
  ['layer-electron', 'electron/reaches-down.ts', '../src/adapters/disk.ts'],
  ['engine-is-pure', 'src/engine/core/reads-a-file.ts', 'node:fs'],
  ['no-vendor-in-the-engine', 'src/engine/core/names-a-vendor.ts', 'fastify'],
  ['electron-only-in-the-shell', 'src/adapters/opens-a-window.ts', 'electron'],
  ['through-the-public-face', 'src/engine/telemetry/reaches-inside.ts', '../core/clock.ts'],
  ['the-engine-from-outside', 'src/adapters/reaches-inside.ts', '../engine/core/clock.ts'],
  ['screens-stand-alone', 'src/renderer/screens/host/reaches-over.ts', '../service/table.ts'],
  ['below-the-screens', 'src/renderer/domain/deployments/reaches-up.ts', '../../screens/host/range.ts'],
  ['through-the-face', 'src/hosts/reaches-inside.ts', '../adapters/shelf/inner.ts'],
  ['no-circle-of-folders', 'src/edge/north/first.ts', '../south/second.ts'],
  ['bootstrap-stands-alone', 'build/start.mjs', 'fastify'],
  ['no-circular', 'src/contract/chicken.ts', './egg.ts'],
  ['not-to-unresolvable', 'src/contract/reaches-nowhere.ts', './nowhere.ts'],
]

/** What the arrows allow: [file, what it imports]. */
const allowed: [file: string, target: string][] = [
  ['src/contract/words.ts', 'zod'],
  ['src/engine/core/clock.ts', 'node:crypto'],
  ['src/engine/core/index.ts', './clock.ts'],
  ['src/engine/telemetry/index.ts', '../core/index.ts'],
  ['src/engine/telemetry/loop.ts', '../../contract/index.ts'],
  ['src/contract/index.ts', './words.ts'],
  ['src/adapters/disk.ts', '../engine/core/index.ts'],
  ['src/adapters/server.ts', 'fastify'],
  ['src/hosts/serve.ts', '../adapters/disk.ts'],
  ['src/hosts/shelf.ts', '../adapters/shelf/index.ts'],
  ['src/adapters/shelf/index.ts', './inner.ts'],
  ['src/adapters/shelf/inner.ts', 'zod'],
  // In no circle of files, but in one of folders with the file above.
  ['src/edge/south/first.ts', '../north/second.ts'],
  ['src/edge/south/second.ts', 'zod'],
  ['src/edge/north/second.ts', 'zod'],
  ['src/renderer/screen.ts', '../contract/index.ts'],
  ['src/renderer/screens/service/table.ts', '../../domain/services/total.ts'],
  ['src/renderer/screens/host/screen.ts', './range.ts'],
  ['src/renderer/screens/host/range.ts', '../../domain/services/total.ts'],
  ['src/renderer/domain/services/total.ts', '../../../contract/index.ts'],
  ['electron/main.ts', '../src/hosts/serve.ts'],
  ['electron/window.ts', 'electron'],
  ['build/bootstrap/children.mjs', 'node:child_process'],
  ['build/test.mjs', './bootstrap/children.mjs'],
  ['src/contract/egg.ts', './chicken.ts'],
]

interface Found {
  rule: { name: string; severity: string }
  from: string
}

let house = ''
let found: Found[] = []
let exitCode: number | null = null

const plant = (file: string, target: string) => {
  mkdirSync(join(house, dirname(file)), { recursive: true })
  writeFileSync(join(house, file), `export * from '${target}'\n`)
}

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'pilothouse-rules-'))
  cpSync(join(project, '.dependency-cruiser.mjs'), join(house, '.dependency-cruiser.mjs'))
  cpSync(join(project, 'tsconfig.json'), join(house, 'tsconfig.json'))
  writeFileSync(join(house, 'package.json'), '{"type":"module"}')
  symlinkSync(realpathSync(join(project, 'node_modules')), join(house, 'node_modules'), 'junction')
  for (const [file, target] of allowed) plant(file, target)
  for (const [, file, target] of violations) plant(file, target)

  const cruiser = toolScript('dependency-cruiser')
  const cruise = (reporter: string) =>
    spawnSync(process.execPath, [cruiser, '--output-type', reporter, 'src', 'electron', 'build'], {
      cwd: house,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
  found = (JSON.parse(cruise('json').stdout) as { summary: { violations: Found[] } }).summary.violations
  exitCode = cruise('err').status
})

afterAll(() => rmSync(house, { recursive: true, force: true }))

describe('the rules of the layers', () => {
  it('end the check with a failure when one is broken', () => {
    expect(exitCode).toBeGreaterThan(0)
    expect(found.every(({ rule }) => rule.severity === 'error')).toBe(true)
  })

  it.each(violations)('%s: finds %s importing %s', (rule, file) => {
    // A circle of folders is told of the folder.
    const told = found.filter(({ from }) => from === file || from === dirname(file))
    expect(told.map(({ rule: { name } }) => name)).toContain(rule)
  })

  it('leave alone what the arrows allow', () => {
    const inCircle = ['src/contract/egg.ts']
    const files = allowed.map(([file]) => file).filter((file) => !inCircle.includes(file))
    expect(found.filter(({ from }) => files.includes(from))).toEqual([])
  })

  it('each have a planted violation here', () => {
    const rules = new Set(config.forbidden.map(({ name }) => name))
    expect(new Set(violations.map(([rule]) => rule))).toEqual(rules)
  })
})
