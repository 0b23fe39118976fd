import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { stringify } from 'yaml'
import { AppError, messageOf } from '../../../base/index.ts'
import { serviceTextIn, withPathsFrom } from '../../../engine/config/index.ts'
import { jsonText } from '../json-text.ts'
import { exitCodes, report } from '../output.ts'
import { confirmOrder } from './confirm.ts'
import type { Session } from './session.ts'

/** Far beyond what a person writes of one service, bytes. */
const mostBytes = 100_000

export interface DeclareRequest {
  service: string
  /** A file of YAML or JSON, or `-` for standard input. */
  file: string
  why: string
  isConfirmed: boolean
}

/** `pilothouse services NAME declare FILE`: steers it from now on, or changes how. */
export async function declareService(
  { service, file, why, isConfirmed }: DeclareRequest,
  session: Session,
): Promise<number> {
  const { engine, config } = session
  const bytes = await contentOf(file, config.system.workingDirectory)
  const { workingDirectory } = config.system
  const directory = file === '-' ? workingDirectory : dirname(resolve(workingDirectory, file))
  const definition = withPathsFrom(directory, definitionIn(service, bytes, file))
  const declared = await confirmOrder(
    {
      order: 'services.declare',
      service,
      effect: `${service}: the settings of ${file === '-' ? 'standard input' : file} take effect`,
      isConfirmed,
    },
    session,
    () => engine.services.declare({ service, definition, why }),
  )
  const [release] = Object.keys((definition['releases'] as object | undefined) ?? {})
  const next = release
    ? `To deploy it, run: ${session.next(`deploy ${service} ${release} --watch`)}`
    : `To add a release, run: ${session.next(`releases ${service} add r1 -- COMMAND...`)}`
  report(session, declared, () => `Declared ${service} (revision ${declared.revision})\n${next}\n`)
  return exitCodes.ok
}

/** `pilothouse services NAME declaration`: as it was written, to be changed and declared again. */
export async function showDeclaration(service: string, session: Session): Promise<number> {
  const { out, isJson } = session
  const declared = await session.engine.services.declaration({ service })
  out.write(isJson ? jsonText(declared) : stringify(declared.definition))
  return exitCodes.ok
}

/** `pilothouse services NAME remove`: its traffic ends, then its instances; its history stays. */
export async function removeService(
  service: string,
  request: { why: string; isConfirmed: boolean },
  session: Session,
): Promise<number> {
  const { engine } = session
  const removed = await confirmOrder(
    {
      order: 'services.remove',
      service,
      effect: `${service} is removed: it stops accepting requests and its instances stop; its history is kept`,
      isConfirmed: request.isConfirmed,
    },
    session,
    () => engine.services.remove({ service, why: request.why }),
  )
  report(session, removed, () => `Removed ${service}\n`)
  return exitCodes.ok
}

/** Throws NOT_FOUND or BAD_INPUT. */
async function contentOf(file: string, workingDirectory: string): Promise<string> {
  const path = file === '-' ? '/dev/stdin' : resolve(workingDirectory, file)
  const handle = await open(path).catch((failure: unknown) => {
    throw new AppError('NOT_FOUND', `${file} cannot be read: ${messageOf(failure)}`, { cause: failure })
  })
  await using stream = handle.createReadStream({ encoding: 'utf8' })
  let text = ''
  for await (const part of stream) {
    text += part as string
    if (text.length > mostBytes)
      throw new AppError('BAD_INPUT', `${file} is larger than ${mostBytes} bytes: is this the right file?`)
  }
  return text
}

/** Throws BAD_INPUT with every place where it is no section of keys. */
function definitionIn(service: string, text: string, file: string): Readonly<Record<string, unknown>> {
  const read = serviceTextIn(service, file, text)
  if (read.ok) return read.value
  const mistakes = read.error.map(
    ({ line, column, message, hint }) => `${file}:${line}:${column} ${message} (${hint})`,
  )
  throw new AppError(
    'BAD_INPUT',
    `${mistakes.join('; ')}. The file must contain the settings of one service, such as listen, health and releases`,
  )
}
