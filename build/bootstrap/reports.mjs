/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {readonly Counts[]} all @returns {Counts} */
export const addCounts = (all) =>
  all.reduce(
    (sum, one) => ({
      passed: sum.passed + one.passed,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  )

/** @param {Counts} counts The last line of a test run. */
export const summaryLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`

/** @param {Counts} counts 0 when something ran and nothing failed. */
export const exitCodeOf = ({ passed, failed }) => (failed > 0 || passed === 0 ? 1 : 0)

/** A runner's word about itself: its counts, or the one failure that it is when it broke down. */
const broken = { passed: 0, failed: 1, skipped: 0 }

/**
 * Counts a runner's report, and trusts its exit code over it: a run that ends badly has at least one failure.
 * @param {Counts | null} counted Null when there is no readable report.
 * @param {number | null} exitCode
 * @returns {Counts}
 */
function settle(counted, exitCode) {
  if (!counted) return broken
  return exitCode === 0 || counted.failed > 0 ? counted : { ...counted, failed: 1 }
}

/**
 * @param {string | null} text Vitest's JSON report.
 * @param {number | null} exitCode
 * @returns {Counts}
 */
export function vitestCounts(text, exitCode) {
  return settle(countVitest(parse(text)), exitCode)
}

/** @param {any} report @returns {Counts | null} */
function countVitest(report) {
  if (!Array.isArray(report?.testResults)) return null
  return addCounts(
    report.testResults.map((/** @type {any} */ file) => {
      /** @type {Counts} */
      const counts = { passed: 0, failed: 0, skipped: 0 }
      for (const { status } of file.assertionResults) {
        if (status === 'passed') counts.passed += 1
        else if (status === 'failed') counts.failed += 1
        else counts.skipped += 1
      }
      // A file that could not be loaded has no tests to count.
      if (file.status === 'failed' && counts.failed === 0) counts.failed = 1
      return counts
    }),
  )
}

/**
 * @param {string | null} text Playwright's JSON report.
 * @param {number | null} exitCode
 * @returns {Counts} A test that passed only when tried again counts as failed.
 */
export function playwrightCounts(text, exitCode) {
  const stats = parse(text)?.stats
  const counted =
    typeof stats?.expected === 'number'
      ? { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped }
      : null
  return settle(counted, exitCode)
}

/** @param {string | null} text @returns {any} */
function parse(text) {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return null
  }
}
