import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasUpdateSource } from '../../../electron/updates.ts'

describe('updates', () => {
  let resources: string
  beforeEach(() => {
    resources = mkdtempSync(join(tmpdir(), 'resources-'))
  })
  afterEach(() => rmSync(resources, { recursive: true, force: true }))

  it('are off in a package that names no source', () => {
    expect(hasUpdateSource(true, resources)).toBe(false)
  })

  it('are on in a package that names one, and never in a checkout', () => {
    writeFileSync(join(resources, 'app-update.yml'), 'provider: generic\nurl: https://updates.example\n')
    expect(hasUpdateSource(true, resources)).toBe(true)
    expect(hasUpdateSource(false, resources)).toBe(false)
  })
})
