import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const workflows = join(import.meta.dirname, '../../../.github/workflows')

const steps = readdirSync(workflows).flatMap((file) =>
  readFileSync(join(workflows, file), 'utf8')
    .split('\n')
    .flatMap((line) => /^\s*(?:- )?uses:\s*(.+)$/.exec(line)?.[1] ?? [])
    .map((uses) => ({ file, uses })),
)

it('uses actions in the workflows', () => {
  expect(steps.length).toBeGreaterThan(0)
})

it.each(steps)('pins $uses of $file to a commit, with its tag as a comment', ({ uses }) => {
  expect(uses).toMatch(/^(\.\/.*|[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/)
})

it('pins each action to one commit', () => {
  const pins = new Map<string, Set<string>>()
  for (const { uses } of steps) {
    const [action = '', pin = ''] = uses.split('@')
    pins.set(action, (pins.get(action) ?? new Set()).add(pin))
  }
  for (const [action, pinned] of pins) expect([...pinned], action).toHaveLength(1)
})
