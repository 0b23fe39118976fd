/** `: why`; empty without a reason. */
export const because = (why: string): string => (why.trim() === '' ? '' : `: ${why.trim()}`)

/** "1 check", "3 checks". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** "1 instance", "3 instances". */
export const instances = (count: number): string => counted(count, 'instance')

/** "Its instance is", "All 3 instances are": the start of a sentence about all of a release. */
export const allInstancesAre = (count: number, release: string): string =>
  count === 1 ? `The instance of ${release} is` : `All ${count} instances of ${release} are`
