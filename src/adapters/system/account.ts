import { readFileSync } from 'node:fs'
import { accountOf, type Account, type AccountProblem, type AccountSettings } from '../../contract/index.ts'

/** Why programs cannot run as this user and group; null when they can. */
export function accountProblem(settings: AccountSettings): AccountProblem | null {
  const found = lookUp(settings)
  return 'problem' in found ? found.problem : null
}

/** Whom programs run as; null as we do. One that cannot be had gives why. */
export function accountFor(settings: AccountSettings): { account: Account | null } | { why: string } {
  const found = lookUp(settings)
  if ('account' in found) return found
  const { setting, message, hint } = found.problem
  return { why: `${setting}: ${message} (${hint})` }
}

function lookUp(settings: AccountSettings): ReturnType<typeof accountOf> {
  if (settings.user === null && settings.group === null) return { account: null }
  return accountOf(settings, {
    ownUid: process.getuid?.(),
    passwd: textOf('/etc/passwd'),
    groups: textOf('/etc/group'),
  })
}

/** Empty where the system has no such file. Throws when it cannot be read: the user may well exist. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw failure
  }
}
