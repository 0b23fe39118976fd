/** A duration as a person reads it: `45 s`, `2 min`, `1 min 30 s`, `3 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ] as const
  return parts
    .filter(([value]) => value > 0)
    .slice(0, 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

/** ` (why)`, or nothing where no reason was given. */
export const because = (why: string): string => (why.trim() === '' ? '' : `: ${why.trim()}`)

/** "1 check", "3 checks". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** "1 instance", "3 instances". */
export const instances = (count: number): string => counted(count, 'instance')

/** "Its instance is", "All 3 instances are": the start of a sentence about all of a release. */
export const allInstancesAre = (count: number, release: string): string =>
  count === 1 ? `The instance of ${release} is` : `All ${count} instances of ${release} are`
