/** A user of this machine, with the group that its programs get. */
export interface Account {
  uid: number
  gid: number
  /** For their environment; null where the user has no entry. */
  name: string | null
  home: string | null
}

/** As a service's definition has them: names or numbers. */
export interface AccountSettings {
  user: string | null
  group: string | null
}

/** What this machine knows of accounts. */
export interface KnownAccounts {
  /** The user that Pilothouse runs as; undefined on systems without such numbers. */
  ownUid: number | undefined
  /** Text of /etc/passwd and /etc/group. */
  passwd: string
  groups: string
}

/** Why the programs of a service cannot run as it says. */
export interface AccountProblem {
  setting: 'user' | 'group'
  message: string
  hint: string
}

/**
 * The account that the programs of a service run as: null where it names none, so that they run as Pilothouse does.
 * Other groups that the user belongs to are not taken.
 */
export function accountOf(
  { user, group }: AccountSettings,
  { ownUid, passwd, groups }: KnownAccounts,
): { account: Account | null } | { problem: AccountProblem } {
  const refused = (setting: AccountProblem['setting'], message: string, hint: string) => ({
    problem: { setting, message, hint },
  })
  if (user === null)
    return group === null
      ? { account: null }
      : refused(
          'group',
          `found the group ${group} without a user`,
          'write `user` as well, or leave `group` out',
        )
  if (ownUid !== 0)
    return refused(
      'user',
      ownUid === undefined
        ? `found ${user}, but this system cannot run programs as another user`
        : `found ${user}, but Pilothouse runs as uid ${ownUid}: only root can run programs as another user`,
      'leave `user` out, or run engine and edge as root',
    )
  const found = entries(passwd).find(([name, , uid]) => name === user || uid === user)
  if (!found && !isNumber(user))
    return refused(
      'user',
      `found ${user}, but /etc/passwd of this machine has no such user`,
      `create it (useradd --system ${user}), or write another name, or a number with a \`group\``,
    )
  const [name = null, , uid = user, ownGid, , home = null] = found ?? []
  const gid = group === null ? ownGid : groupNumber(group, groups)
  if (gid === undefined)
    return group === null
      ? refused('user', `found the number ${user}, whose group is unknown`, 'write `group` as well')
      : refused(
          'group',
          `found ${group}, but /etc/group of this machine has no such group`,
          `create it (groupadd --system ${group}), or write another name or a number`,
        )
  return { account: { uid: Number(uid), gid: Number(gid), name, home } }
}

/** What programs expect of the environment of a user. */
export const accountEnvironment = (account: Account | null): Record<string, string> =>
  account === null
    ? {}
    : {
        ...(account.name === null ? {} : { USER: account.name, LOGNAME: account.name }),
        HOME: account.home ?? '/',
      }

/** `shop` or `shop:web`; null where none is named. */
export const runsAsText = ({ user, group }: AccountSettings): string | null =>
  user === null ? null : group === null ? user : `${user}:${group}`

const isNumber = (text: string): boolean => /^\d+$/.test(text)

const groupNumber = (group: string, groups: string): string | undefined =>
  entries(groups).find(([name]) => name === group)?.[2] ?? (isNumber(group) ? group : undefined)

/** Lines of fields between colons. */
const entries = (text: string): string[][] =>
  text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4 && isNumber(fields[2] ?? ''))
