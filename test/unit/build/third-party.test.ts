import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { licenseProblems, licensesText, packageDirectory, readPackage } from '../../../build/third-party.mjs'

describe('the packages of a bundle', () => {
  it.each([
    ['/p/node_modules/zod/v4/index.js', '/p/node_modules/zod'],
    ['/p/node_modules/@orpc/server/dist/index.mjs', '/p/node_modules/@orpc/server'],
    ['/p/node_modules/a/node_modules/b/c.js', '/p/node_modules/a/node_modules/b'],
    ['\0/p/node_modules/pino/pino.js?commonjs-es-import', '/p/node_modules/pino'],
    ['C:\\p\\node_modules\\ws\\index.js', 'C:/p/node_modules/ws'],
    ['/p/src/engine/engine.ts', null],
    ['\0vite/modulepreload-polyfill.js', null],
  ])('are known by the modules in it: %j', (id, directory) => {
    expect(packageDirectory(id)).toBe(directory)
  })

  const shipped = (license: string, texts = ['You may.']) => ({
    name: 'brick',
    version: '1.0.0',
    license,
    texts,
  })

  it.each(['MIT', 'Apache-2.0', '(MIT OR GPL-3.0)', 'MIT AND ISC', 'OFL-1.1'])(
    'may have the license %s',
    (license) => {
      expect(licenseProblems([shipped(license)])).toEqual([])
    },
  )

  it.each(['GPL-3.0-only', 'AGPL-3.0', 'LGPL-2.1', 'MIT AND GPL-2.0', 'SEE LICENSE IN x', 'UNLICENSED', ''])(
    'may not have the license %j',
    (license) => {
      expect(licenseProblems([shipped(license)])).toEqual([expect.stringContaining('brick 1.0.0')])
    },
  )

  it('must each have a license text', () => {
    expect(licenseProblems([shipped('MIT', [])])).toEqual(['brick 1.0.0 has no license text.'])
  })

  it('are listed with name, version, license and all texts', () => {
    const text = licensesText([shipped('MIT', ['You may.\r\nOr not.', 'A notice.'])])
    expect(text).toContain('brick 1.0.0 (MIT)')
    expect(text).toContain('You may.\nOr not.\n\nA notice.')
  })
})

describe('a package on the disk', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ph-package-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('gives its license files and notices, whatever their names, and nothing else', () => {
    const files = {
      'package.json': JSON.stringify({ name: 'brick', version: '1.0.0', license: 'MIT' }),
      'LICENSE-MIT.txt': 'one',
      'licence.md': 'two',
      NOTICE: 'three',
      COPYING: ' \n',
      'README.md': 'no',
      'licenses.js': 'no',
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    mkdirSync(join(directory, 'license'))
    expect(readPackage(directory)).toEqual({
      name: 'brick',
      version: '1.0.0',
      license: 'MIT',
      texts: expect.arrayContaining(['one', 'two', 'three']) as string[],
    })
    expect(readPackage(directory).texts).toHaveLength(3)
  })
})
