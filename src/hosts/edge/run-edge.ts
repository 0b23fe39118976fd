import { lstat, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openLog } from '../../adapters/log/index.ts'
import { systemClock, systemRng } from '../../adapters/system/index.ts'
import { Disposables } from '../../engine/core/index.ts'
import {
  AdminServer,
  EdgeFailure,
  limitsSchema,
  lockDirectory,
  Platform,
  type Limits,
} from '../../edge/index.ts'
import { version } from '../version.ts'
import { edgeLockPath, edgeSocketPath } from './places.ts'

export interface EdgeRequest {
  directory: string
  /** The default ones where left out. */
  limits?: Limits
  environment: Readonly<Record<string, string | undefined>>
  /** It serves: its admin socket answers. */
  onReady: (socketPath: string) => void
}

/**
 * Runs an edge on a directory until it is told to stop: by SIGTERM, SIGINT or the admin call, after which its
 * instances run on without it; or by the admin call with instances, after which nothing is left. Throws EdgeFailure
 * when it cannot start: CONFLICT when another edge runs there.
 */
export async function runEdge({
  directory,
  limits = limitsSchema.parse({}),
  environment,
  onReady,
}: EdgeRequest): Promise<void> {
  await using held = new Disposables()
  const stopped = Promise.withResolvers<boolean>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped.resolve(false))
  // The terminal or app that started it may go; traffic may not.
  process.on('SIGHUP', () => undefined)

  await mkdir(directory, { recursive: true, mode: 0o700 })
  held.use(await lockDirectory(edgeLockPath(directory)))
  const clock = systemClock()
  const log = held.use(
    openLog({ level: 'info', clock, to: { kind: 'file', directory: join(directory, 'log') } }),
  )
  const platform = await Platform.open({
    directory,
    limits,
    environment,
    version,
    clock,
    rng: systemRng(),
    log,
    onStop: (withInstances) => stopped.resolve(withInstances),
  })
  const admin = new AdminServer(platform.handlers, log)
  const socketPath = edgeSocketPath(directory)
  await requireOwnDirectory(dirname(socketPath))
  await admin.listen(socketPath)
  log.info('the edge serves', { directory, pid: process.pid })
  onReady(socketPath)

  const withInstances = await stopped.promise
  log.info('the edge ends', { withInstances })
  await admin.close()
  await platform.close(withInstances)
}

/** The socket's directory lets in nobody else; one that another user made first is not trusted. */
async function requireOwnDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await mkdir(path, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(path)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
    throw new EdgeFailure('FORBIDDEN', `${path} must belong to this user alone (mode 0700).`)
}
