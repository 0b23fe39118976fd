import { shellWord } from '../../contract/index.ts'

/**
 * The rollback as a command for a terminal; `service` null is all of them. It names the engine by its data directory:
 * without, it is for whichever engine is found from where it is typed.
 */
export const rollbackCommand = (service: string | null, dataDirectory: string | undefined): string =>
  [
    'pilothouse rollback',
    service === null ? '--all' : shellWord(service),
    ...(dataDirectory === undefined ? [] : ['--data-dir', shellWord(dataDirectory)]),
  ].join(' ')
