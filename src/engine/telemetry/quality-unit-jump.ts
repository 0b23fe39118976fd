import type { Unit } from '../../contract/index.ts'

/** Values in a row that stand for "stays". */
const steadyCount = 5
/** How far a value may lie from its level and still belong to it. */
const levelTolerance = 0.2
/** How near the factor of a jump must be to the factor of a mistaken unit. */
const factorTolerance = 0.03
/** Above this a ratio cannot be one: 1 with room for rounding and for cores that are counted late. */
const ratioCeiling = 1.5

/** The factors by which a unit is commonly mistaken: bytes and kB or KiB, seconds and milliseconds. */
const factors: Record<Unit, readonly number[]> = {
  ratio: [],
  bytes: [1000, 1024],
  bytes_per_second: [1000, 1024],
  per_second: [1000],
  count: [1000],
  seconds: [1000],
  celsius: [],
}

/**
 * Finds the moment a series changes its unit under us: a level that stood still is left by a factor of about 1000 or
 * 1024, in either direction, and the new level stands as well (five values each, within 20%); or a ratio settles
 * above 1.5, as percent do. A load that really grows a thousandfold within one reading, from a flat line to a flat
 * line, looks the same: then the finding is wrong, and costs an hour of not being judged.
 */
export class UnitJumps {
  #level = new Float64Array(0)
  #steady = new Uint8Array(0)
  #candidate = new Float64Array(0)
  #candidateSteady = new Uint8Array(0)

  /** Makes room for `slotCount` slots; never shrinks. */
  grow(slotCount: number): void {
    if (slotCount <= this.#level.length) return
    this.#level = widened(this.#level, new Float64Array(slotCount).fill(NaN))
    this.#candidate = widened(this.#candidate, new Float64Array(slotCount).fill(NaN))
    this.#steady = widened(this.#steady, new Uint8Array(slotCount))
    this.#candidateSteady = widened(this.#candidateSteady, new Uint8Array(slotCount))
  }

  /** Begins anew with a slot. */
  clear(slot: number): void {
    this.#level[slot] = this.#candidate[slot] = NaN
    this.#steady[slot] = this.#candidateSteady[slot] = 0
  }

  /** Takes the next finite value of a slot. True exactly once for each jump, when the new level has stood. */
  observe(slot: number, unit: Unit, value: number): boolean {
    return unit === 'ratio' ? this.#observeRatio(slot, value) : this.#observeLevel(slot, unit, value)
  }

  /** Whether a ratio stands above what a ratio can be, so that it must be something else. */
  isImpossible(slot: number, unit: Unit): boolean {
    return unit === 'ratio' && (this.#steady[slot] ?? 0) >= steadyCount
  }

  #observeRatio(slot: number, value: number): boolean {
    const steady = value > ratioCeiling ? Math.min((this.#steady[slot] ?? 0) + 1, steadyCount + 1) : 0
    this.#steady[slot] = steady
    return steady === steadyCount
  }

  #observeLevel(slot: number, unit: Unit, value: number): boolean {
    const waiting = this.#candidateSteady[slot] ?? 0
    if (waiting > 0) {
      if (!isNear(value, this.#candidate[slot] ?? NaN)) {
        this.#candidateSteady[slot] = 0
        this.#settle(slot, value)
        return false
      }
      this.#candidateSteady[slot] = waiting + 1
      if (waiting + 1 < steadyCount) return false
      this.#candidateSteady[slot] = 0
      this.#settle(slot, value)
      this.#steady[slot] = steadyCount
      return true
    }
    const level = this.#level[slot] ?? NaN
    const steady = this.#steady[slot] ?? 0
    if (isNear(value, level)) {
      this.#level[slot] = level + (value - level) / 4
      if (steady < steadyCount) this.#steady[slot] = steady + 1
    } else if (steady >= steadyCount && isUnitFactor(value / level, factors[unit])) {
      this.#candidate[slot] = value
      this.#candidateSteady[slot] = 1
    } else {
      this.#settle(slot, value)
    }
    return false
  }

  #settle(slot: number, value: number): void {
    this.#level[slot] = value
    this.#steady[slot] = 1
  }
}

const isNear = (value: number, level: number): boolean =>
  Math.abs(value - level) <= levelTolerance * Math.abs(level)

function isUnitFactor(factor: number, known: readonly number[]): boolean {
  for (const each of known) {
    if (Math.abs(factor / each - 1) <= factorTolerance) return true
    if (Math.abs(factor * each - 1) <= factorTolerance) return true
  }
  return false
}

function widened<T extends Float64Array | Uint8Array>(old: T, wider: T): T {
  wider.set(old)
  return wider
}
