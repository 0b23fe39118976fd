import { accountEnvironment, type Account } from './account.ts'
import { artifactVariables } from './artifacts.ts'
import type { Release } from './services.ts'

/** Variables that a program needs on most systems and that hold no secret of whoever started Pilothouse. */
const inherited =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA)$/i

/** The part of our own environment that instances, checks and hooks inherit. Nothing else of it reaches them. */
function inheritedEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(own).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && inherited.test(entry[0]),
    ),
  )
}

export interface ReleaseProcess {
  service: string
  releaseId: string
  instanceId: string
  /** Left out for a program that serves no requests, such as a hook. */
  port?: number
  /** Whom it runs as, where that is not us. */
  account?: Account | null
  /** Of an instance of an edge. */
  edge?: EdgeMarks
}

/** What tells the instances of one edge from those of another when its state is lost. */
interface EdgeMarks {
  /** The real path of the edge's directory. */
  directory: string
  /** A digest of the release's content: a release with the same name is not always the same release. */
  content: string
}

/**
 * The environment of a process of a release: an instance, a copy that a check starts, a check or a hook. Variables of
 * the release, if there is one, override inherited ones; those that the platform sets override both.
 */
export function releaseEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  release: Pick<Release, 'parameters' | 'artifact'> | null,
  { service, releaseId, instanceId, port, account = null, edge }: ReleaseProcess,
): Record<string, string> {
  return {
    ...inheritedEnvironment(own),
    ...accountEnvironment(account),
    ...(release && { ...release.parameters, ...artifactVariables(release.artifact) }),
    ...(port === undefined ? {} : { PORT: String(port) }),
    PILOTHOUSE_SERVICE: service,
    PILOTHOUSE_RELEASE: releaseId,
    PILOTHOUSE_INSTANCE: instanceId,
    ...(edge && { PILOTHOUSE_EDGE: edge.directory, PILOTHOUSE_CONTENT: edge.content }),
  }
}
