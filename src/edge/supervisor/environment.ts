/** Of the edge's own environment an instance gets these: the rest may hold secrets of whoever started the edge. */
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA)$/i

export interface InstanceNames {
  service: string
  releaseId: string
  instanceId: string
  port: number
}

/** The variable by which an instance is found again whose pid was not noted in time. */
export const markOf = (instanceId: string): string => `PILOTHOUSE_INSTANCE=${instanceId}`

/** The environment of an instance: the release's own variables win, but for those that the platform sets. */
export function environmentOf(
  base: Readonly<Record<string, string | undefined>>,
  release: { parameters: Record<string, string>; artifact: { env: Record<string, string> } },
  names: InstanceNames,
): Record<string, string> {
  const inherited = Object.entries(base).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && passedOn.test(entry[0]),
  )
  return {
    ...Object.fromEntries(inherited),
    ...release.parameters,
    ...release.artifact.env,
    PORT: String(names.port),
    PILOTHOUSE_SERVICE: names.service,
    PILOTHOUSE_RELEASE: names.releaseId,
    PILOTHOUSE_INSTANCE: names.instanceId,
  }
}
