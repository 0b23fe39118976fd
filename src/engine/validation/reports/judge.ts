import type { ReportConfig } from '../schema.ts'
import { judgeJson } from './json.ts'
import { judgeJunit } from './junit.ts'
import { judgeSarif } from './sarif.ts'
import { decodeReport } from './text.ts'
import { unreadable, type ReportVerdict } from './verdict.ts'

/** A report of a tool as it stands in its file, against its limits. */
export function judgeReportBytes(report: ReportConfig, bytes: Uint8Array): ReportVerdict {
  const decoded = decodeReport(bytes)
  if ('why' in decoded) return unreadable(decoded.why)
  switch (report.format) {
    case 'junit':
      return judgeJunit(decoded.text, report)
    case 'sarif':
      return judgeSarif(decoded.text, report)
    case 'json':
      return judgeJson(decoded.text, report.rules)
  }
}
