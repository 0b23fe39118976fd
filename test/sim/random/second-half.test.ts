import { describe, it } from 'vitest'
import { runHalf } from './half.ts'

describe('a service under chance', () => {
  it('comes to rest with one stable release and all traffic on it, whatever befell it (odd seeds)', () =>
    runHalf(1))
})
