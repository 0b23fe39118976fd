import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fingerprint } from '../../../build/bootstrap/sources.mjs'

describe('the fingerprint of the sources', () => {
  let root = ''
  const print = () => fingerprint(root, ['src', 'package.json', 'not-there'])

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'pilothouse sources '))
    mkdirSync(join(root, 'src/deep'), { recursive: true })
    writeFileSync(join(root, 'src/deep/a.ts'), 'one')
    writeFileSync(join(root, 'src/b.ts'), 'two')
    writeFileSync(join(root, 'package.json'), '{}')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  it('stays the same when only times change', () => {
    const before = print()
    utimesSync(join(root, 'src/b.ts'), 1, 1)
    expect(print()).toBe(before)
  })

  it('changes with a content, a name, a new file and a lost one', () => {
    const seen = new Set([print()])
    writeFileSync(join(root, 'src/b.ts'), 'too')
    seen.add(print())
    renameSync(join(root, 'src/b.ts'), join(root, 'src/c.ts'))
    seen.add(print())
    writeFileSync(join(root, 'src/d.ts'), '')
    seen.add(print())
    rmSync(join(root, 'src/deep'), { recursive: true })
    seen.add(print())
    expect(seen.size).toBe(5)
  })

  it('tells where one file ends and the next begins', () => {
    const before = print()
    writeFileSync(join(root, 'src/b.ts'), 'twopackage.json')
    writeFileSync(join(root, 'package.json'), '')
    expect(print()).not.toBe(before)
  })

  it('ignores what does not go into the bundles', () => {
    const before = print()
    writeFileSync(join(root, 'README.md'), 'words')
    expect(print()).toBe(before)
  })
})
