export { endText, runCommand, type CommandEnd, type CommandRequest } from './run-command.ts'
