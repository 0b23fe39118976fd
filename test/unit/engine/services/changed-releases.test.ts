import { describe, expect, it } from 'vitest'
import { ok } from '../../../../src/base/index.ts'
import type { Release } from '../../../../src/contract/index.ts'
import { emptySteering } from '../../../support/empty-steering.ts'
import { scriptedEngine } from '../../../support/scripted-engine.ts'
import { loaded } from '../config/sources.ts'
import { configurationActor } from '../../../../src/contract/index.ts'

describe('a release that the configuration file changes', () => {
  const stored: Release = {
    service: 'shop',
    id: 'r1',
    artifact: { kind: 'command', argv: ['node', 'old.js'], env: {} },
    parameters: {},
    note: '',
    createdAtMs: 1,
    createdBy: configurationActor,
  }

  it.each([
    ['new.js', ['The configuration file changes shop r1; recorded releases do not change']],
    ['old.js', []],
  ])('is said to stay as it is, with what to do: %s', async (script, told) => {
    const steering = emptySteering()
    const text = `services: {shop: {releases: {r1: {command: [node, ${script}]}}}}`
    await using engine = scriptedEngine(1, {
      steering: {
        ...steering,
        configured: loaded(text).config,
        stores: {
          ...steering.stores,
          releases: { ...steering.stores.releases, find: () => Promise.resolve(ok(stored)) },
        },
      },
    }).engine
    await engine.prepare()
    const notices = (engine.live.get('notices') ?? []).map((notice) => notice.text)
    expect(notices).toEqual(told.map((start) => expect.stringContaining(start) as string))
    for (const notice of notices) expect(notice).toContain('give the release a new name there and deploy it')
  })
})
