import { writeFile } from 'node:fs/promises'
import { auditText } from '../../../contract/index.ts'
import { messageOf } from '../../../engine/core/index.ts'
import { exitCodes } from '../output.ts'
import { LeftAlone } from './left-alone.ts'
import { jsonText, type Session } from './session.ts'
import { columns, harmless, momentText } from './words.ts'

export interface AuditFilter {
  actor?: string
  target?: string
  limit: number
}

/** `pilothouse audit list`, newest first. */
export async function listAudit(filter: AuditFilter, { engine, out, isJson }: Session): Promise<number> {
  const entries = await engine.audit.list(filter)
  out.write(
    isJson
      ? jsonText(entries)
      : entries.length === 0
        ? 'No entries.\n'
        : columns([
            ['SEQ', 'WHEN', 'WHO', 'WHAT', 'TARGET', 'WHY'],
            ...entries.map(({ seq, atMs, actor, target, why, ...told }) => [
              String(seq),
              momentText(atMs),
              harmless(actor),
              harmless(auditText(told)),
              harmless(target),
              harmless(why),
            ]),
          ]),
  )
  return exitCodes.ok
}

/** `pilothouse audit verify`: 0 when the chain is whole, 1 when an entry was changed or taken out. */
export async function verifyAudit({ engine, out, isJson }: Session): Promise<number> {
  const verdict = await engine.audit.verify()
  out.write(isJson ? jsonText(verdict) : `${harmless(verdict.text)}\n`)
  return verdict.isWhole ? exitCodes.ok : exitCodes.failed
}

/** `pilothouse audit export`: to standard output, or a file that does not exist yet. */
export async function exportAudit(
  format: 'jsonl' | 'csv',
  file: string | undefined,
  { engine, out, err }: Session,
): Promise<number> {
  const { text } = await engine.audit.export({ format })
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
        ? `${file} exists already and stays as it is: name another file.`
        : `The export cannot be written: ${messageOf(failure)}`,
    )
  }
  err.write(`written to ${file}\n`)
  return exitCodes.ok
}
