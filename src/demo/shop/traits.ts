/** How a release of the shop differs from a good one: each is a real fault of a real program. */
export interface Traits {
  /** Share of requests that end with status 500, 0 to 1. */
  failShare: number
  /** Share of requests that take `slowMs` longer, 0 to 1. */
  slowShare: number
  slowMs: number
  /** Memory that each request takes and never gives back. */
  leakBytes: number
  /** From the start to the first request that is answered; until then it says that it is not ready. */
  readyAfterMs: number
  neverHealthy: boolean
}

/** The options of the command line that set a trait. */
export const traitOptions = {
  'fail-share': { type: 'string', default: '0' },
  'slow-share': { type: 'string', default: '0' },
  'slow-ms': { type: 'string', default: '400' },
  'leak-bytes': { type: 'string', default: '0' },
  'ready-after-ms': { type: 'string', default: '0' },
  'never-healthy': { type: 'boolean', default: false },
} as const

type Written = { [Name in keyof typeof traitOptions]: string | boolean }

/** Throws a sentence for a value that is no number. */
export function traitsOf(written: Written): Traits {
  const number = (name: keyof Written): number => {
    const value = Number(written[name])
    if (!(value >= 0))
      throw new Error(`--${name} must be a number of at least 0, not ${String(written[name])}`)
    return value
  }
  return {
    failShare: number('fail-share'),
    slowShare: number('slow-share'),
    slowMs: number('slow-ms'),
    leakBytes: number('leak-bytes'),
    readyAfterMs: number('ready-after-ms'),
    neverHealthy: written['never-healthy'] === true,
  }
}
