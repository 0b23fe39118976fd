import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guardsSchema, serviceDefinitionSchema } from '../../../src/contract/index.ts'
import { readState, StateFile } from '../../../src/edge/state/state-file.ts'
import { noTraffic } from '../../../src/edge/traffic.ts'

const stateOf = (...names: string[]) => ({
  services: names.map((name) => ({
    definition: serviceDefinitionSchema.parse({ name, listen: {} }),
    isLeaving: false,
    port: 8080,
    traffic: noTraffic(),
    guards: guardsSchema.parse({}),
    releases: [],
    doneKeys: [],
    instances: [],
  })),
})

describe('the state file', () => {
  let directory: string
  let path: string
  let state = stateOf()
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-state-'))
    path = join(directory, 'state.json')
    state = stateOf()
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const save = async (...names: string[]) => {
    state = stateOf(...names)
    await new StateFile(path, () => state).save()
  }
  const namesRead = async () =>
    (await readState(path)).state.services.map(({ definition }) => definition.name)

  it('gives back what was saved, and nothing where nothing was', async () => {
    expect(await readState(path)).toEqual({ state: { services: [] }, trouble: '' })
    await save('shop', 'cart')
    expect(await namesRead()).toEqual(['shop', 'cart'])
  })

  it('writes saves that come together once, with the newest state', async () => {
    const file = new StateFile(path, () => state)
    const saves = ['a', 'b', 'c'].map((name) => {
      state = stateOf(name)
      return file.save()
    })
    state = stateOf('newest')
    await Promise.all(saves)
    expect(await namesRead()).toEqual(['newest'])
  })

  it.each([
    ['is torn anywhere', (text: string) => text.slice(0, Math.floor(text.length * 0.7))],
    ['is empty', () => ''],
    ['has one other character', (text: string) => text.replace('cart', 'carp')],
    ['is of another form', () => '{"services":[]}'],
  ])('is read from the one before when it %s, and kept aside', async (_, damage) => {
    await save('shop')
    await save('shop', 'cart')
    const damaged = damage(readFileSync(path, 'utf8'))
    writeFileSync(path, damaged)
    const { state: read, trouble } = await readState(path)
    expect(read.services.map(({ definition }) => definition.name)).toEqual(['shop'])
    expect(trouble).toContain(path)
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(damaged)
  })

  it('takes no notice of a new one that was not finished', async () => {
    await save('shop')
    writeFileSync(`${path}.new`, '{"format":1')
    expect(await namesRead()).toEqual(['shop'])
    await save('cart')
    expect(await namesRead()).toEqual(['cart'])
  })

  it('refuses one of a newer version and leaves it as it is', async () => {
    const text = JSON.stringify({ format: 2, sha256: '', state: '' })
    writeFileSync(path, text)
    await expect(readState(path)).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
    expect(readFileSync(path, 'utf8')).toBe(text)
  })
})
