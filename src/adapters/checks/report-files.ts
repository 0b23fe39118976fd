import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { messageOf } from '../../engine/core/index.ts'
import {
  failed,
  judgeJson,
  judgeJunit,
  judgeSarif,
  passed,
  type ReportConfig,
  type ReportVerdict,
  type Verdict,
} from '../../engine/validation/index.ts'

const sizeLimitBytes = 16 * 1024 * 1024

/** Tells one state of a file from another; empty when it is not there. */
export async function fingerprintOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return [ino, size, mtimeNs, ctimeNs].join(' ')
  } catch {
    return ''
  }
}

export const reportPath = ({ path }: ReportConfig, directory: string): string => resolve(directory, path)

/** Reads a report of a tool and holds it against its limits. `nowMs` is given where it must not be older than `maxAgeMs`. */
export async function judgeReport(
  report: ReportConfig,
  directory: string,
  age: { nowMs: number; maxAgeMs: number } | null,
): Promise<Verdict> {
  const name = `The report ${report.path}`
  const read = await readReport(reportPath(report, directory))
  if ('why' in read) return failed(`${name} ${read.why}.`)
  if (age && age.nowMs - read.changedAtMs > age.maxAgeMs)
    return failed(`${name} is too old: it is of ${new Date(read.changedAtMs).toISOString()}.`)
  const { isGood, text, output } = judgeText(report, read.text)
  const sentence = `${name}: ${text}.`
  return isGood ? passed(sentence, output) : failed(sentence, output)
}

function judgeText(report: ReportConfig, text: string): ReportVerdict {
  switch (report.format) {
    case 'junit':
      return judgeJunit(text, report)
    case 'sarif':
      return judgeSarif(text, report)
    case 'json':
      return judgeJson(text, report.rules)
  }
}

type Read = { text: string; changedAtMs: number } | { why: string }

async function readReport(file: string): Promise<Read> {
  try {
    // Opening a pipe would otherwise wait for somebody to write to it.
    await using handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const facts = await handle.stat()
    if (!facts.isFile()) return { why: 'is not a file' }
    if (facts.size > sizeLimitBytes) return { why: `is larger than ${sizeLimitBytes / 2 ** 20} MiB` }
    const bytes = Buffer.alloc(facts.size)
    const { bytesRead } = await handle.read(bytes, 0, facts.size, 0)
    return { text: bytes.toString('utf8', 0, bytesRead), changedAtMs: facts.mtimeMs }
  } catch (thrown) {
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT'
    return { why: isMissing ? 'was not written' : `cannot be opened: ${messageOf(thrown)}` }
  }
}
