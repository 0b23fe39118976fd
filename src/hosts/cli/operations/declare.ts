import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import * as z from 'zod'
import { AppError, messageOf } from '../../../engine/core/index.ts'
import { exitCodes } from '../output.ts'
import { confirm, isInProduction } from './confirm.ts'
import { jsonText, type Session } from './session.ts'

/** Far beyond what a person writes of one service, bytes. */
const mostBytes = 100_000

export interface DeclareRequest {
  service: string
  /** A file of YAML or JSON, or `-` for standard input. */
  file: string
  why: string
}

/** `pilothouse services NAME declare FILE`: steers it from now on, or changes how. */
export async function declareService(
  { service, file, why }: DeclareRequest,
  { engine, out, isJson, config }: Session,
): Promise<number> {
  const bytes = await contentOf(file, config.system.workingDirectory)
  const definition = definitionIn(bytes, file)
  const declared = await engine.services.declare({ service, definition, why })
  const [release] = Object.keys((definition['releases'] as object | undefined) ?? {})
  const next = release
    ? `deploy it: pilothouse deploy ${service} ${release} --watch`
    : `add a release: pilothouse releases ${service} add r1 -- COMMAND...`
  out.write(isJson ? jsonText(declared) : `${service} is declared (revision ${declared.revision}); ${next}\n`)
  return exitCodes.ok
}

/** `pilothouse services NAME declaration`: as it was written, to be changed and declared again. */
export async function showDeclaration(service: string, { engine, out, isJson }: Session): Promise<number> {
  const declared = await engine.services.declaration({ service })
  out.write(isJson ? jsonText(declared) : stringify(declared.definition))
  return exitCodes.ok
}

/** `pilothouse services NAME remove`: its traffic ends, then its instances; its history stays. */
export async function removeService(
  service: string,
  request: { why: string; isConfirmed: boolean },
  session: Session,
): Promise<number> {
  const { engine, out, isJson } = session
  await confirm(
    {
      name: service,
      effect: `${service} ends: no more requests are taken, its instances are stopped, its history stays`,
      isProduction: await isInProduction(service, session),
      isConfirmed: request.isConfirmed,
    },
    session,
  )
  const removed = await engine.services.remove({ service, why: request.why })
  out.write(isJson ? jsonText(removed) : `${service} is removed\n`)
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

const sectionSchema = z.record(z.string(), z.unknown())

/** Throws BAD_INPUT for what is no section of keys. */
function definitionIn(text: string, file: string): Record<string, unknown> {
  const read = (): unknown => {
    try {
      return parse(text, { maxAliasCount: 100 })
    } catch (failure) {
      throw new AppError('BAD_INPUT', `${file} is neither YAML nor JSON: ${messageOf(failure)}`, {
        cause: failure,
      })
    }
  }
  const { success, data } = sectionSchema.safeParse(read())
  if (success) return data
  throw new AppError(
    'BAD_INPUT',
    `${file} must hold what would stand under the name of a service: keys such as listen, health, releases`,
  )
}
