import { describe, it } from 'vitest'
import { runSeed } from './run.ts'

describe('a service under chance that once went wrong', () => {
  it.each([[51229, 'a removal that was 45 s late hit the release that had been deployed again meanwhile']])(
    'comes to rest: seed %i, where %s',
    (seed) => runSeed(seed).then(() => undefined),
  )
})
