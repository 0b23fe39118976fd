import {
  failed,
  failedForNow,
  passed,
  worstOf,
  type CheckConfigOf,
  type CheckVerdict,
} from '../../engine/validation/index.ts'
import { endText, runCommand } from '../commands/index.ts'
import { fingerprintOf, judgeReport, reportPath } from './report-files.ts'
import {
  commandEnvironment,
  directoryOf,
  filledIn,
  freePort,
  type Run,
  type CheckSurroundings,
} from './surroundings.ts'

/** What a command says when it failed for a reason that may pass: sysexits.h, EX_TEMPFAIL. */
const temporaryFailureCode = 75

/**
 * A command of the operator's own ends with exit code 0, and the reports that it wrote are good. A report that was
 * there before and did not change is none of this run.
 */
export function commandCheck(config: CheckConfigOf<'command'>, surroundings: CheckSurroundings): Run {
  const { argv, reports } = config
  return async (request, signal) => {
    const directory = config.cwd ?? directoryOf(request)
    const fingerprints = () =>
      Promise.all(reports.map((report) => fingerprintOf(reportPath(report, directory))))
    const before = await fingerprints()
    const end = await runCommand(
      {
        argv: argv.map((argument) => filledIn(argument, request)),
        cwd: directory,
        env: commandEnvironment(request, config.env, await freePort(), surroundings.rng),
        runsAs: surroundings.runsAs,
        signal,
      },
      surroundings,
    )
    const sentence = `${argv[0]} ${endText(end)}.`
    const isTransient =
      end.kind === 'not started'
        ? end.isTransient
        : end.kind === 'exited' && end.code === temporaryFailureCode
    if (isTransient) return failedForNow(sentence, end.output)
    const didSucceed = end.kind === 'exited' && end.code === 0
    const own = didSucceed ? passed(sentence, end.output) : failed(sentence, end.output)
    if (end.kind !== 'exited') return own
    // Test runners and scanners end with a code of their own when they found something: their reports say what.
    const after = await fingerprints()
    const verdicts: CheckVerdict[] = []
    for (const [i, report] of reports.entries())
      verdicts.push(
        after[i] !== '' && after[i] === before[i]
          ? failed(`The report ${report.path} is from an earlier run: the command did not write it.`)
          : await judgeReport(report, directory, null, signal),
      )
    return worstOf([own, ...verdicts])
  }
}
