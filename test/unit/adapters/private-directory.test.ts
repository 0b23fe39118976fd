import { expect, it } from 'vitest'
import { makePrivateDirectory } from '../../../src/adapters/system/index.ts'

it.runIf(process.platform === 'linux')(
  'fails at a directory that cannot be made, instead of trying forever',
  () => {
    expect(() => makePrivateDirectory('/proc/nowhere/data', [])).toThrow(/ENOENT/)
  },
)
