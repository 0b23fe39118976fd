import { parseArgs } from 'node:util'
import * as z from 'zod'
import { errorCodes } from '../../contract/index.ts'
import type { EdgeProgram } from '../edge/index.ts'

/** From the shell to its engine. */
export const shellMessageSchema = z.discriminatedUnion('kind', [
  /** A new consumer; its ports [live, calls] come with the message. */
  z.strictObject({ kind: z.literal('consumer'), actor: z.string().max(100) }),
  z.strictObject({ kind: z.literal('stop') }),
])
export type ShellMessage = z.infer<typeof shellMessageSchema>

/** From the engine to its shell. */
export const engineMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  /** It cannot start; the process ends after this. */
  z.strictObject({ kind: z.literal('failed'), code: z.enum(errorCodes), message: z.string() }),
])
export type EngineMessage = z.infer<typeof engineMessageSchema>

/** The command line of the engine's process. */
export interface EngineArguments {
  dataDirectory: string
  /** What runs the embedded platform; this process's own program when left out. */
  edgeProgram?: EdgeProgram | undefined
}

const edgeProgramSchema = z.strictObject({ command: z.string().min(1), args: z.array(z.string()) })

export const engineArguments = ({ dataDirectory, edgeProgram }: EngineArguments): string[] => [
  '--data-dir',
  dataDirectory,
  ...(edgeProgram ? ['--edge-program', JSON.stringify(edgeProgram)] : []),
]

/** The other direction of `engineArguments`; throws when the shell named no data directory. */
export function parseEngineArguments(args: readonly string[]): EngineArguments {
  const { values } = parseArgs({
    args: [...args],
    options: { 'data-dir': { type: 'string' }, 'edge-program': { type: 'string' } },
  })
  if (values['data-dir'] === undefined) throw new Error('the shell names the data directory: --data-dir PATH')
  const program = values['edge-program']
  return {
    dataDirectory: values['data-dir'],
    ...(program === undefined ? {} : { edgeProgram: edgeProgramSchema.parse(JSON.parse(program)) }),
  }
}
