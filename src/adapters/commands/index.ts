export { endText, runCommand } from './run-command.ts'
