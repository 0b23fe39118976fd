import { nameSchema, wordsOf } from '../../../contract/index.ts'

/** A service as a person describes it first, as typed. */
export interface ServiceDraft {
  name: string
  /** What starts an instance, in one line. */
  command: string
  /** Where it runs; empty for the engine's own directory. */
  directory: string
  /** Where its visitors come; empty for a free one. */
  port: string
  healthPath: string
  release: string
}

export type DraftField = keyof ServiceDraft

export const newServiceDraft = (): ServiceDraft => ({
  name: '',
  command: '',
  directory: '',
  port: '8080',
  healthPath: '/',
  release: 'r1',
})

/** What is wrong, by field, before the engine is asked; empty when nothing is. */
export function mistakesIn(draft: ServiceDraft): Partial<Record<DraftField, string>> {
  const isName = (text: string) => nameSchema.safeParse(text).success
  const port = Number(draft.port || 0)
  const all: Record<DraftField, string> = {
    name: isName(draft.name) ? '' : 'Letters, digits, dots, dashes and underscores, at most 63.',
    command: wordsOf(draft.command).length > 0 ? '' : 'Enter a command, such as: node server.js',
    directory:
      draft.directory === '' || /^(\/|[a-z]:\\)/i.test(draft.directory)
        ? ''
        : 'An absolute path, such as /srv/shop.',
    port: Number.isInteger(port) && port >= 0 && port <= 65_535 ? '' : 'A port from 1 to 65535, or empty.',
    healthPath: draft.healthPath.startsWith('/') ? '' : 'A path that starts with /.',
    release: isName(draft.release) ? '' : 'Letters, digits, dots, dashes and underscores, at most 63.',
  }
  return Object.fromEntries(Object.entries(all).filter(([, mistake]) => mistake !== ''))
}

/** As it would stand under its name in a configuration file. */
export function definitionOf({ command, directory, port, healthPath, release }: ServiceDraft) {
  return {
    listen: { port: Number(port || 0) },
    health: { path: healthPath },
    releases: { [release]: { command: wordsOf(command), ...(directory ? { cwd: directory } : {}) } },
  }
}
