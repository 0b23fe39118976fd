import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { edgeDefinitionSchema, guardsSchema } from '../../../src/contract/index.ts'
import { readState, StateFile } from '../../../src/edge/state/state-file.ts'
import { noTraffic } from '../../../src/edge/balancing/traffic.ts'

const stateOf = (...names: string[]) => ({
  services: names.map((name) => ({
    definition: edgeDefinitionSchema.parse({ name, listen: {} }),
    isLeaving: false,
    port: 8080,
    traffic: noTraffic(),
    guards: guardsSchema.parse({}),
    releases: [],
    doneKeys: [],
    instances: [],
    restarts: [],
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
    await new StateFile(path, () => state, 1).save()
  }
  const namesRead = async () =>
    (await readState(path)).state.services.map(({ definition }) => definition.name)

  it('gives back what was saved, and nothing where nothing was', async () => {
    expect(await readState(path)).toEqual({ state: { services: [] }, trouble: '', generation: 1 })
    await save('shop', 'cart')
    expect(await namesRead()).toEqual(['shop', 'cart'])
  })

  it('is not read without its journal, which may hold an emergency rollback', async () => {
    await save('shop')
    rmSync(`${path}.journal`)
    mkdirSync(`${path}.journal`)
    await expect(readState(path)).rejects.toMatchObject({ code: 'EISDIR' })
  })

  it('writes saves that come together once, with the newest state', async () => {
    const file = new StateFile(path, () => state, 1)
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

  it('says what was damaged and that nothing is left when no copy is good', async () => {
    await save('shop')
    await save('cart')
    for (const each of [path, `${path}.previous`]) writeFileSync(each, '{"format":1,"sha')
    const { state: read, trouble } = await readState(path)
    expect(read.services).toEqual([])
    expect(trouble).toContain(`${path} is damaged`)
    expect(trouble).toContain(`${path}.previous is damaged`)
    expect(trouble).toContain('The edge started empty')
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

  describe('and its journal', () => {
    const journal = () => `${path}.journal`
    const reportOf = (revision: number) => ({
      weights: { r1: 100 },
      fallbackReleaseId: 'r1',
      revision,
      key: `key-${revision}`,
      emergency: { key: `key-${revision}`, atMs: 1 },
    })
    const opened = async () => new StateFile(path, () => state, (await readState(path)).generation)
    const revisionsRead = async (at = path) =>
      (await readState(at)).state.services.map(({ traffic }) => traffic.revision)
    /** The state that a save takes from now on, too. */
    const move = (file: StateFile, revision: number) => {
      const [shop] = state.services
      if (shop) shop.traffic = { ...reportOf(revision), doneKeys: [] }
      return file.note([{ service: 'shop', report: reportOf(revision) }])
    }

    it('give back what was noted and not yet saved, as often as they are read', async () => {
      await save('shop', 'cart')
      const file = await opened()
      await move(file, 1)
      await move(file, 2)
      expect(await revisionsRead()).toEqual([2, 0])
      const [shop] = (await readState(path)).state.services
      expect(shop?.traffic).toEqual({ ...reportOf(2), doneKeys: ['key-1', 'key-2'] })
    })

    it('lose nothing that was noted, whenever it is killed while states are written', async () => {
      await save('shop')
      state = stateOf('shop')
      const file = await opened()
      for (let revision = 1; revision <= 40; revision++) {
        // Saves are under way at every point while this is noted.
        const saves = [file.save(), file.save()]
        for (let turn = revision % 8; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve))
        await move(file, revision)
        // What a kill would leave here; nothing of ours runs between the two copies.
        const left = join(directory, `killed-${revision}.json`)
        copyFileSync(path, left)
        copyFileSync(journal(), `${left}.journal`)
        expect(await revisionsRead(left)).toEqual([revision])
        await Promise.all(saves)
        expect(await revisionsRead()).toEqual([revision])
      }
      await file.save()
      expect(readFileSync(journal(), 'utf8')).toBe('')
    })

    it('go on after a last line that was torn anywhere', async () => {
      await save('shop')
      const file = await opened()
      await move(file, 1)
      const before = readFileSync(journal(), 'utf8')
      await move(file, 2)
      const after = readFileSync(journal(), 'utf8')
      for (let end = before.length; end < after.length - 1; end++) {
        writeFileSync(journal(), after.slice(0, end))
        expect(await revisionsRead()).toEqual([1])
      }
      writeFileSync(journal(), after.slice(0, -9))
      await move(await opened(), 3)
      expect(await revisionsRead()).toEqual([3])
    })

    it('take nothing from entries that are older than the state, though they were left behind', async () => {
      await save('shop')
      const file = await opened()
      await move(file, 7)
      const left = readFileSync(journal(), 'utf8')
      // The service went and came again under its name: it counts from 0.
      state = stateOf('shop')
      await file.save()
      writeFileSync(journal(), left)
      expect(await revisionsRead()).toEqual([0])
    })
  })
})
