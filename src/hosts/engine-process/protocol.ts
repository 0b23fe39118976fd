import * as z from 'zod'
import { errorCodes } from '../../contract/index.ts'

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
}

export const engineArguments = ({ dataDirectory }: EngineArguments): string[] => ['--data-dir', dataDirectory]
