export { engineArguments, engineMessageSchema, type ShellMessage } from './protocol.ts'
