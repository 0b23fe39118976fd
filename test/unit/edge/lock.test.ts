import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockDirectory } from '../../../src/edge/index.ts'

describe('the lock of a directory', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-lock-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it.each([
    ['is free', null],
    ['was left by one that was killed', '1 of-another-time'],
    ['was left empty', ''],
  ])('is had by one of many that want it at once when it %s', async (_, left) => {
    const path = join(directory, 'edge.lock')
    if (left !== null) writeFileSync(path, left)
    const tried = await Promise.allSettled(Array.from({ length: 30 }, () => lockDirectory(path)))
    const had = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(had).toHaveLength(1)
    for (const one of tried)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'CONFLICT' })
    await had[0]?.[Symbol.asyncDispose]()
    expect(readdirSync(directory)).toEqual([])
    await (await lockDirectory(path))[Symbol.asyncDispose]()
  })

  it("is nobody's to take while what it says cannot be read", async () => {
    const path = join(directory, 'edge.lock')
    symlinkSync('edge.lock', path)
    await expect(lockDirectory(path)).rejects.toMatchObject({ code: 'ELOOP' })
    expect(readdirSync(directory)).toEqual(['edge.lock'])
  })
})
