export {
  engineArguments,
  engineMessageSchema,
  parseEngineArguments,
  shellMessageSchema,
  type EngineArguments,
  type EngineMessage,
  type ShellMessage,
} from './protocol.ts'
