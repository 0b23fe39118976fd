import {
  errorRatio,
  received,
  type Artifact,
  type Bin,
  type Comparison,
  type Release,
} from '../../contract/index.ts'
import { countsOf, quantileMs, type Counts } from '../canary/index.ts'

/** What differs between two releases, and how each of them did in the bins it had traffic in. */
export function compareReleases(
  from: Release,
  to: Release,
  bins: { from: readonly Bin[]; to: readonly Bin[] },
): Comparison {
  const before = flat(from)
  const after = flat(to)
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return {
    from,
    to,
    differences: paths
      .map((path) => ({ path, from: before.get(path) ?? null, to: after.get(path) ?? null }))
      .filter((each) => each.from !== each.to),
    metrics: metrics(figures(bins.from, from.id), figures(bins.to, to.id)),
  }
}

/** Every leaf of what a release runs with, by a dotted path. */
function flat({ artifact, parameters }: Release): Map<string, string> {
  return new Map([...artifactLeaves(artifact), ...named('parameters', parameters)])
}

function artifactLeaves(artifact: Artifact): [string, string][] {
  switch (artifact.kind) {
    case 'command': {
      const { argv, env, cwd } = artifact
      return [
        ...argv.map((argument, i): [string, string] => [`argv.${i}`, argument]),
        ...named('env', env),
        ...(cwd === undefined ? [] : [['cwd', cwd] as [string, string]]),
      ]
    }
  }
}

const named = (of: string, texts: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(texts).map(([name, text]) => [`${of}.${name}`, text])

interface Figures {
  counts: Counts
  seconds: number
}

const figures = (bins: readonly Bin[], releaseId: string): Figures => ({
  counts: countsOf(bins, releaseId),
  seconds: bins
    .filter((bin) => bin.releaseId === releaseId)
    .reduce((sum, { durationMs }) => sum + durationMs / 1000, 0),
})

function metrics(from: Figures, to: Figures): Comparison['metrics'] {
  const both = (measure: (of: Figures) => number | null) => ({ from: measure(from), to: measure(to) })
  const rate = ({ counts, seconds }: Figures) => (seconds > 0 ? received(counts) / seconds : null)
  return [
    { metric: 'errorRatio', ...both(({ counts }) => errorRatio(counts)) },
    { metric: 'p50Ms', ...both(({ counts }) => quantileMs(counts, 0.5)) },
    { metric: 'p95Ms', ...both(({ counts }) => quantileMs(counts, 0.95)) },
    { metric: 'p99Ms', ...both(({ counts }) => quantileMs(counts, 0.99)) },
    { metric: 'requestsPerSecond', ...both(rate) },
  ]
}
