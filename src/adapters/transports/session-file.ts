import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { messageOf, type Log } from '../../base/index.ts'
import { writePrivateFile } from '../system/index.ts'
import type { SessionStore } from './sessions.ts'

const storedSchema = z.array(z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), expiresAtMs: z.number() }))

/**
 * The keys of open sessions in a file of this user alone, so that pages stay signed in when the engine restarts. An unreadable file
 * counts as empty: its pages sign in again.
 */
export function sessionFile(path: string, log: Log): SessionStore {
  return {
    load: () => {
      try {
        return storedSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
      } catch (failure) {
        const isNew = (failure as NodeJS.ErrnoException).code === 'ENOENT'
        if (!isNew)
          log.warn('open sessions cannot be read; pages must sign in again', {
            path,
            failure: messageOf(failure),
          })
        return []
      }
    },
    save: (sessions) => {
      try {
        writePrivateFile(path, JSON.stringify(sessions))
      } catch (failure) {
        log.warn('open sessions cannot be stored; pages must sign in again after a restart', {
          path,
          failure: messageOf(failure),
        })
      }
    },
  }
}
