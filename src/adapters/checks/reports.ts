import type { Clock } from '../../base/index.ts'
import { failed, worstOf, type CheckConfigOf, type CheckVerdict } from '../../engine/validation/index.ts'
import { judgeReport } from './report-files.ts'
import { directoryOf, type Run } from './surroundings.ts'

/** Reports that something else wrote, such as a build server, are good and not too old. */
export function reportsCheck({ reports, cwd, maxAgeMs }: CheckConfigOf<'reports'>, clock: Clock): Run {
  return async (request, signal) => {
    const directory = cwd ?? directoryOf(request)
    const age = maxAgeMs === null ? null : { nowMs: clock.nowMs(), maxAgeMs }
    const verdicts: CheckVerdict[] = []
    for (const report of reports) verdicts.push(await judgeReport(report, directory, age, signal))
    const [first, ...rest] = verdicts
    return first ? worstOf([first, ...rest]) : failed('No report is configured.')
  }
}
