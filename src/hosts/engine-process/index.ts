export {
  engineArguments,
  engineMessageSchema,
  shellMessageSchema,
  type EngineArguments,
  type EngineMessage,
  type ShellMessage,
} from './protocol.ts'
