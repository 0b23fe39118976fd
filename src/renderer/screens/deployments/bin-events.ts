import type { Bin } from '../../../contract/index.ts'

interface Releases {
  stableReleaseId: string | null
  candidateReleaseId: string
}

/**
 * What no error ratio shows, one sentence for each release that has any, without the full stop: requests that clients gave up on,
 * requests that the other release answered in its place, and instances that failed.
 */
export function eventTexts(
  bins: readonly Bin[],
  { stableReleaseId, candidateReleaseId }: Releases,
): string[] {
  return [candidateReleaseId, ...(stableReleaseId === null ? [] : [stableReleaseId])].flatMap((id) => {
    const own = bins.filter(({ releaseId }) => releaseId === id)
    const sumOf = (valueOf: (bin: Bin) => number) => own.reduce((sum, bin) => sum + valueOf(bin), 0)
    const abandoned = sumOf((bin) => bin.abandoned)
    const diverted = sumOf((bin) => bin.diverted)
    const [crashes, unhealthy, ejections] = [
      sumOf((bin) => bin.crashes),
      sumOf((bin) => bin.healthFailures),
      sumOf((bin) => bin.ejections),
    ]
    // A process that ends often fails its health check, too: that counts once.
    const failed = Math.max(crashes, unhealthy, ejections)
    const other = id === candidateReleaseId ? stableReleaseId : candidateReleaseId
    const parts = [
      ...(abandoned > 0 ? [`clients gave up on ${counted(abandoned, 'request')}`] : []),
      ...(diverted > 0
        ? [`${other ?? 'another release'} answered ${counted(diverted, 'request')} instead`]
        : []),
      ...(failed > 0 ? [`instances failed ${failed === 1 ? 'once' : `${failed} times`}`] : []),
    ]
    return parts.length === 0 ? [] : [`${id}: ${parts.join(', ')}`]
  })
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
