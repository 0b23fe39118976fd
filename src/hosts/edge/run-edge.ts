import { lstat, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openLog } from '../../adapters/log/index.ts'
import { systemClock, systemRng } from '../../adapters/system/index.ts'
import { Disposables } from '../../engine/core/index.ts'
import {
  AdminServer,
  EdgeFailure,
  Handover,
  limitsSchema,
  lockDirectory,
  Platform,
  Predecessor,
  requireHandover,
  takeLock,
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

/** Whoever has called the edge before it handed over may hold a connection for this long, ms. */
const callersWithinMs = 2500

/**
 * Runs an edge on a directory until it is told to stop: by SIGTERM, SIGINT or the admin call, after which its
 * instances run on without it; or by the admin call with instances, after which nothing is left; or until it has
 * handed over to another process. Throws EdgeFailure when it cannot start: CONFLICT when another edge runs there that
 * has not started this one to take over.
 */
export async function runEdge({
  directory,
  limits = limitsSchema.parse({}),
  environment,
  onReady,
}: EdgeRequest): Promise<void> {
  await using held = new Disposables()
  const next: { handover: Handover | null; result: Promise<unknown> | null } = {
    handover: null,
    result: null,
  }
  const ended = Promise.withResolvers<{ kind: 'stopped'; withInstances: boolean } | { kind: 'handed over' }>()
  let isEnding = false
  const stop = (withInstances: boolean) => {
    isEnding = true
    next.handover?.callOff('the edge was told to stop')
    ended.resolve({ kind: 'stopped', withInstances })
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(false))
  // The terminal or app that started it may go; traffic may not.
  process.on('SIGHUP', () => undefined)

  await mkdir(directory, { recursive: true, mode: 0o700 })
  const lockPath = edgeLockPath(directory)
  const predecessor = Predecessor.of(environment)
  const inheritance = (await predecessor?.inherit()) ?? null
  if (!inheritance) held.use(await lockDirectory(lockPath))
  const clock = systemClock()
  const log = held.use(
    openLog({ level: 'info', clock, to: { kind: 'file', directory: join(directory, 'log') } }),
  )
  const platform = await Platform.open({
    directory,
    limits: inheritance?.limits ?? limits,
    environment,
    version,
    clock,
    rng: systemRng(),
    log,
    onStop: stop,
    inheritance,
    onHandover: (program) => {
      requireHandover()
      if (next.result) throw new EdgeFailure('CONFLICT', 'A handover is under way already.')
      const result = handOverTo(program).finally(() => (next.result = null))
      next.result = result
      return result
    },
  })
  const admin = new AdminServer(platform.handlers, log)
  const socketPath = edgeSocketPath(directory)
  await requireOwnDirectory(dirname(socketPath))
  if (predecessor && inheritance) {
    await predecessor.serve(platform)
    held.use(await (process.connected ? takeLock(lockPath) : lockDirectory(lockPath)))
    await platform.takeOver()
  }
  await admin.listen(socketPath)
  predecessor?.open()
  log.info('the edge serves', { directory, pid: process.pid, version, tookOver: inheritance !== null })
  onReady(socketPath)

  const end = await ended.promise
  log.info('the edge ends', end)
  await next.result?.catch(() => undefined)
  if (next.handover) await Promise.all([next.handover.finish(), admin.leave(callersWithinMs)])
  else await admin.close()
  await platform.close(end.kind === 'stopped' && end.withInstances)

  async function handOverTo(program: { command: string; args: readonly string[] }): Promise<{ pid: number }> {
    // What the edge before this one still has under way comes here at last: from one edge to the next, not two.
    await Promise.race([predecessor?.gone, ended.promise])
    if (isEnding) throw new EdgeFailure('UNAVAILABLE', 'The edge was told to stop.')
    const relock = () => takeLock(lockPath)
    next.handover = new Handover({ platform, admin, directory, clock, log, relock }, program)
    try {
      const result = await next.handover.run()
      ended.resolve({ kind: 'handed over' })
      return result
    } catch (failure) {
      next.handover = null
      throw failure
    }
  }
}

/** The socket's directory lets in nobody else; one that another user made first is not trusted. */
async function requireOwnDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await mkdir(path, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(path)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
    throw new EdgeFailure('FORBIDDEN', `${path} must belong to this user alone (mode 0700).`)
}
