import { randomBytes } from 'node:crypto'
import type { Rng } from '../../base/index.ts'

/** Chance from the operating system: unpredictable, so `hex` is fit for tokens. */
export function systemRng(): Rng {
  return {
    // 48 random bits: as many as one read of an integer gives, and evenly spread in [0, 1).
    next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
    hex: (byteCount) => randomBytes(byteCount).toString('hex'),
  }
}
