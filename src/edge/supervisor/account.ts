import { readFileSync } from 'node:fs'
import { accountOf, type Account, type AccountSettings } from '../../contract/index.ts'

/** Whom the instances of a service run as; null as this edge does. Throws with the reason when that cannot be. */
export function accountFor(settings: AccountSettings): Account | null {
  if (settings.user === null && settings.group === null) return null
  const found = accountOf(settings, {
    ownUid: process.getuid?.(),
    passwd: textOf('/etc/passwd'),
    groups: textOf('/etc/group'),
  })
  if ('account' in found) return found.account
  const { setting, message, hint } = found.problem
  throw new Error(`cannot be started: ${setting}: ${message} (${hint})`)
}

/**
 * The users that a process of a service may run as to be taken up as its instance: that of this edge, and that of the
 * service. Anybody else's process may pretend to be one.
 */
export function mayRunAs(settings: AccountSettings, uid: number): boolean {
  if (uid === process.getuid?.()) return true
  try {
    return uid === accountFor(settings)?.uid
  } catch {
    return false
  }
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
