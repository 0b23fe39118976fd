import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import { messageOf } from '../../base/index.ts'
import { failed, passed, type ReportConfig, type CheckVerdict } from '../../engine/validation/index.ts'
import { judgeApart } from './report-judging.ts'

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
  signal: AbortSignal,
): Promise<CheckVerdict> {
  const name = `The report ${report.path}`
  const read = await readReport(reportPath(report, directory))
  if ('why' in read) return failed(`${name} ${read.why}.`)
  if (age && age.nowMs - read.changedAtMs > age.maxAgeMs)
    return failed(`${name} is too old: it is from ${new Date(read.changedAtMs).toISOString()}.`)
  const { isGood, text, output } = await judgeApart({ report, bytes: read.bytes }, signal)
  const sentence = `${name}: ${text}.`
  return isGood ? passed(sentence, output) : failed(sentence, output)
}

type Read = { bytes: Uint8Array<ArrayBuffer>; changedAtMs: number } | { why: string }

async function readReport(file: string): Promise<Read> {
  try {
    // Opening a pipe would otherwise wait for someone to write to it.
    await using handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const facts = await handle.stat()
    if (!facts.isFile()) return { why: 'is not a file' }
    if (facts.size > sizeLimitBytes) return { why: `is larger than ${sizeLimitBytes / 2 ** 20} MiB` }
    return { bytes: await readAll(handle, facts.size), changedAtMs: facts.mtimeMs }
  } catch (thrown) {
    const isMissing = (thrown as NodeJS.ErrnoException).code === 'ENOENT'
    return { why: isMissing ? 'was not written' : `cannot be opened: ${messageOf(thrown)}` }
  }
}

/** As much as there is now of `size` bytes: a tool may still be writing. */
async function readAll(handle: FileHandle, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size)
  let length = 0
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}
