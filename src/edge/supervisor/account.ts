import { readFileSync } from 'node:fs'
import { accountOf, type Account, type AccountSettings } from '../../contract/index.ts'

/**
 * The user and group that a service's instances run as; null for those of this edge. Throws with the reason when that
 * is not possible.
 */
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
 * The users as which a process may run to be adopted as an instance: that of this edge, and that of the service. A
 * process of any other user may only pretend to be one.
 */
export function mayRunAs(settings: AccountSettings, uid: number): boolean {
  if (uid === process.getuid?.()) return true
  try {
    return uid === accountFor(settings)?.uid
  } catch {
    return false
  }
}

/** Empty when the system has no such file. Throws when it cannot be read, because the user may exist. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw failure
  }
}
