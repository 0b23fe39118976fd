import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { AppError, messageOf } from '../../../base/index.ts'
import { auditText, terminalText } from '../../../contract/index.ts'
import { verifyAudit as verifyLog } from '../../../engine/audit/index.ts'
import { table } from '../layout/index.ts'
import { jsonText } from '../json-text.ts'
import { exitCodes, report, tell } from '../output.ts'
import { LeftAlone, tellFailure } from '../failure.ts'
import { likelyDataDirectories } from './data-directories.ts'
import { namedEngine, type EngineCalls } from './engine.ts'
import { withEngine, type Session, type SessionRequest } from './session.ts'

export interface AuditFilter {
  actor?: string
  target?: string
  limit: number
}

const columns = [
  { heading: 'SEQ' },
  { heading: 'WHEN' },
  { heading: 'WHO' },
  { heading: 'WHAT', isProse: true },
  { heading: 'TARGET' },
  { heading: 'WHY', isProse: true },
]

/** `pilothouse audit list`, newest first. */
export async function listAudit(filter: AuditFilter, session: Session): Promise<number> {
  const { engine, out, times } = session
  const entries = await engine.audit.list(filter)
  const rows = entries.map(({ seq, atMs, actor, target, why, ...told }) => [
    String(seq),
    times.moment(atMs),
    terminalText(actor.name),
    terminalText(auditText(told)),
    terminalText(target),
    terminalText(why),
  ])
  const style = (heading: string) => out.style('dim', heading)
  report(session, entries, () =>
    rows.length === 0 ? 'No entries.\n' : table(columns, rows, { width: out.width, style }),
  )
  return exitCodes.ok
}

/**
 * `pilothouse audit verify`: 0 when the log is whole, 1 when an entry was changed or taken out, or differs from the newest
 * one in the file `against`. Without an engine the log is read where it lies.
 */
export async function verifyAudit(against: string | undefined, request: SessionRequest): Promise<number> {
  const known = async () => {
    const anchor = against === undefined ? undefined : newestAnchor(await readText(against))
    if (against !== undefined && !anchor)
      throw new AppError(
        'BAD_INPUT',
        `${against} contains no entry of the audit log: it must be an export or a log file.`,
      )
    return anchor
  }
  const show = (verdict: AuditVerdict): number => {
    report(request, verdict, () => `${terminalText(verdict.text)}\n`)
    return verdict.isWhole ? exitCodes.ok : exitCodes.failed
  }
  return withEngine(
    request,
    async ({ engine }) => show(await engine.audit.verify(await known())),
    async () => {
      const directory = await directoryAtRest(request)
      if (directory === null) return null
      try {
        const verdict = await verdictOn(directory, (await known()) ?? null)
        tell(
          request.err,
          `No engine is running. The log is read from ${directory}; nothing there is changed.\n`,
        )
        return show(verdict)
      } catch (failure) {
        if (!(failure instanceof AppError)) throw failure
        return tellFailure(failure, request)
      }
    },
  )
}

type AuditVerdict = Awaited<ReturnType<EngineCalls['audit']['verify']>>

/** The first of the data directories that has a log; null where none has, or the engine is one elsewhere. */
async function directoryAtRest({ config }: SessionRequest): Promise<string | null> {
  if (namedEngine(config)) return null
  for (const directory of await likelyDataDirectories(config))
    if ((await stat(join(directory, 'state.sqlite')).catch(() => null)) !== null) return directory
  return null
}

/** Of the log in a data directory that no engine uses. Throws as the store fails. */
async function verdictOn(directory: string, known: Anchor | null): Promise<AuditVerdict> {
  // Only this command needs the store: the others start without loading it.
  const { readAuditLog } = await import('../../../adapters/stores/state/index.ts')
  const log = await readAuditLog(directory)
  if (!log.ok) throw log.error
  await using store = log.value
  const verdict = await verifyLog(
    store,
    known && { ...known, ...(known.seal === undefined ? {} : { seal: known.seal }) },
  )
  if (!verdict.ok) throw verdict.error
  return verdict.value
}

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const anchorSchema = z.object({
  seq: z.number().int().positive(),
  hash: digest,
  seal: digest.optional().catch(undefined),
})

type Anchor = z.infer<typeof anchorSchema>

/**
 * The newest entry that an export (JSON Lines or CSV) or a log file with anchors names. The last line of an export is
 * believed before all others: a cell of a CSV file may hold lines that only look like entries.
 */
export function newestAnchor(text: string): Anchor | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const last = anchorIn(lines.at(-1) ?? '')
  if (last) return last
  return lines.flatMap((line) => anchorIn(line) ?? []).sort((a, b) => b.seq - a.seq)[0]
}

function anchorIn(line: string): Anchor | undefined {
  const read = anchorSchema.safeParse(csvAnchor(line) ?? parsed(line))
  return read.success ? read.data : undefined
}

/** Only the row that an export ends with has a seal. */
function csvAnchor(line: string): unknown {
  const { seq, hash } = /^(?<seq>\d+),.*,(?<hash>[0-9a-f]{64})$/.exec(line)?.groups ?? {}
  if (!seq) return undefined
  const seal = /,audit\.anchor,audit,.*"\{""seal"":""(?<seal>[0-9a-f]{64})""\}",,[0-9a-f]{64}$/.exec(line)
    ?.groups?.seal
  return { seq: Number(seq), hash, seal }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (failure) {
    throw new AppError('BAD_INPUT', `${file} cannot be read: ${messageOf(failure)}`, { cause: failure })
  }
}

/** `pilothouse audit export`: to standard output, or a file that does not exist yet. With `--json`, one array of all entries. */
export async function exportAudit(
  format: 'jsonl' | 'csv',
  file: string | undefined,
  { engine, out, err, isJson }: Session,
): Promise<number> {
  const exported = await engine.audit.export({ format: isJson ? 'jsonl' : format })
  const text = isJson ? jsonText(linesOf(exported.text)) : exported.text
  if (file === undefined) {
    out.write(text)
    return exitCodes.ok
  }
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  } catch (failure) {
    const { code } = failure as { code?: string }
    throw new LeftAlone(
      code === 'EEXIST'
        ? `${file} already exists and was not changed. Name another file.`
        : `The export could not be written: ${messageOf(failure)}`,
    )
  }
  tell(err, `Exported to ${file}\n`)
  return exitCodes.ok
}

const linesOf = (jsonl: string): unknown[] =>
  jsonl
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
