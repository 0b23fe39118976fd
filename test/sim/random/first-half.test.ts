import { describe, it } from 'vitest'
import { runHalf } from './half.ts'

describe('a service under chance', () => {
  it('comes to rest with one stable release and all traffic on it, whatever befell it (even seeds)', () =>
    runHalf(0))
})
