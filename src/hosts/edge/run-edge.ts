import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, Disposables, messageOf, shortened, sleep } from '../../base/index.ts'
import { openLog } from '../../adapters/log/index.ts'
import { makePrivateTree, systemClock, systemRng } from '../../adapters/system/index.ts'
import {
  AdminServer,
  Handover,
  identityOf,
  isUnwritable,
  lockDirectory,
  EdgeServices,
  Predecessor,
  requireHandover,
  takeLock,
  type DirectoryLock,
  type EdgeLog,
} from '../../edge/index.ts'
import { version } from '../version.ts'
import { actorNamed, localActor, type Actor, type EdgeInput } from '../../contract/index.ts'
import { canGuard, Guard, provenMs, takeRevival, type KeptPort } from './guard.ts'
import { edgeLockPath, edgeSocketPlaces, workDirectory } from './places.ts'
import { keepNote, type OrderNote } from './order-notes.ts'
import { isLost, removePointer, writePointer } from './pointer.ts'

export interface EdgeRequest {
  directory: string
  environment: Readonly<Record<string, string | undefined>>
  /** It serves: its admin socket answers. */
  onReady: (socketPath: string) => void
}

/** Why an edge ended: a person's or an engine's order, a signal, or another process that is the edge now. */
export type EdgeEnd = 'ordered' | 'signaled' | 'handed over'

/** Whoever has called the edge before it handed over may hold a connection for this long, ms. */
const callersWithinMs = 2500
/** Between tries to write what the disk did not take, and to get the kernel's lock after a handover, ms. */
const writeAgainMs = 1000
/** An edge before which this many crashed in a row survives what would have ended it. */
const survivedCrashes = 2
/** How often the guard is given the ports that services listen on by now, ms. */
const holdEveryMs = 100
/** How long an edge that was started in the place of a killed one waits for the lock to be free, ms. */
const lockWithinMs = 1000
const lockAgainMs = 20
/** An edge that has handed over goes on with its requests for this long when it is told to end, ms. */
const endWithinMs = 5000
/** The same, when its successor is to hand over in turn: within the time of the order for that (`upgradeEdge`), ms. */
const makeWayWithinMs = 90_000

/**
 * Runs an edge on a directory until it is told to stop: by SIGTERM, SIGINT or the admin call, after which its
 * instances run on without it; or by the admin call with instances, after which nothing is left; or until it has
 * handed over to another process. Throws AppError when it cannot start: CONFLICT when another edge runs there that
 * has not started this one to take over; UNAVAILABLE when that one has ended too early, and has a guard.
 */
export async function runEdge({ directory, environment, onReady }: EdgeRequest): Promise<EdgeEnd> {
  await using held = new Disposables()
  const next: { handover: Handover | null; result: Promise<unknown> | null } = {
    handover: null,
    result: null,
  }
  const ended = Promise.withResolvers<{ kind: 'stopped'; withInstances: boolean } | { kind: 'handed over' }>()
  let isEnding = false
  let isOrdered = false
  const stop = (withInstances: boolean) => {
    isEnding = true
    next.handover?.callOff('the edge was told to stop')
    next.handover?.finishWithin(endWithinMs)
    ended.resolve({ kind: 'stopped', withInstances })
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(false))
  // The terminal or app that started it may go; traffic may not.
  process.on('SIGHUP', () => undefined)

  let unwritten: string[] = []
  let survived: string[] = []
  const told: { log: EdgeLog | null } = { log: null }
  const revival = takeRevival(process.env)
  // A crash is over when the next edge runs, which starts afresh. One that comes back each time would take all services
  // down for what fails in one of them.
  const survive = (failure: unknown) => {
    told.log?.error('continues after a failure that ended earlier edges', { failure: messageOf(failure) })
    survived = [
      `The edge has crashed ${revival?.crashes} times and now continues after a failure: ${messageOf(failure)}. The service that it came from may not be managed; fix or remove it.`,
    ]
  }
  if ((revival?.crashes ?? 0) >= survivedCrashes) {
    process.on('uncaughtException', survive)
    held.defer(() => void process.off('uncaughtException', survive))
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // A directory of an earlier version, or made by hand, may let others in. Not ours: the socket's place says so.
  await chmod(directory, 0o700).catch(() => undefined)
  try {
    makePrivateTree(directory)
  } catch (failure) {
    // On a read-only disk the rights stay as they are; the directory itself lets nobody in, or the socket is elsewhere.
    if (!isUnwritable(failure)) throw failure
  }
  const lockPath = edgeLockPath(directory)
  const predecessor = Predecessor.of(environment)
  const inheritance = (await predecessor?.inherit()) ?? null
  if (predecessor && !inheritance) leaveToGuard(environment)
  const clock = systemClock()
  let lock = inheritance ? null : await firstLock(lockPath, revival !== null)
  await using _lock = { [Symbol.asyncDispose]: async () => lock?.[Symbol.asyncDispose]() }
  // Electron may pass descriptors on to instances, so there no ports are held.
  const holdsPorts = process.versions['electron'] === undefined
  const startGuard = () =>
    canGuard(process.env)
      ? held.use(new Guard(directory, revival?.crashes ?? 0, holdsPorts ? revival?.ports : []))
      : null
  // From the start on: an edge may be killed before it serves. One that takes over is not needed before it has.
  let guard = inheritance ? null : startGuard()
  const identity = (await identityOf(process.pid)) ?? ''
  let isPointed = false
  let pointedGuard: number | null = null
  const point = async (socketPath: string) => {
    const guardPid = guard?.pid ?? null
    const guardIdentity = guardPid === null ? null : await identityOf(guardPid)
    if (isEnding) return
    writePointer(directory, {
      pid: process.pid,
      identity,
      socketPath,
      guard: guardPid === null || guardIdentity === null ? null : { pid: guardPid, identity: guardIdentity },
    })
    pointedGuard = guardPid
  }
  const places = edgeSocketPlaces(directory)
  // Who looks for an edge that crashes before it serves has to find what will start it again.
  if (guard) await point(places[0]).catch(() => undefined)
  const log = held.use(
    openLog({ level: 'info', clock, to: { kind: 'file', directory: join(directory, 'log') } }),
  )
  told.log = log
  const platform = await EdgeServices.open({
    directory,
    workDirectory: workDirectory(directory),
    environment,
    version,
    clock,
    rng: systemRng(),
    log,
    onStop: ({ instances, by }) => {
      // Once: it may be told again while it drains.
      if (!isOrdered) note('platform.stop', by, { version, pid: process.pid, withInstances: instances })
      isOrdered = true
      stop(instances)
    },
    cutElsewhere: (instanceId) => predecessor?.cut(instanceId),
    unwritten: () => [...unwritten, ...survived],
    keptPorts: new Map(revival?.ports.map(({ service, descriptor }) => [service, descriptor])),
    inheritance,
    onHandover: (program) => {
      requireHandover()
      if (next.result) throw new AppError('CONFLICT', 'A handover is already in progress.')
      const result = noted(program).finally(() => (next.result = null))
      next.result = result
      return result
    },
  })
  const admin = new AdminServer(platform.handlers, log, clock)
  const onPlace = () => {
    isPointed = false
    void writeRest()
  }
  let isLockSettled = inheritance === null
  held.use(
    clock.every(writeAgainMs, () => {
      // Somebody may have removed it, or an edge that was about to end may have written its own.
      if (isPointed && isLost(directory, { pid: process.pid, identity })) isPointed = false
      void writeRest()
      if (!isLockSettled && !isEnding)
        void lock?.lockKernel().then(
          (isSettled) => (isLockSettled = isSettled),
          () => undefined,
        )
    }),
  )
  if (predecessor && inheritance) {
    if (!(await predecessor.serve(platform))) leaveToGuard(environment)
    lock = await (process.connected ? takeLock(lockPath) : lockDirectory(lockPath))
    await platform.takeOver()
  }
  if (inheritance && process.platform !== 'win32')
    await admin.replace(inheritance.socketPath || places[0], places, onPlace)
  else await admin.listen(places, onPlace)
  predecessor?.open()
  log.info('the edge serves', { directory, pid: process.pid, version, tookOver: inheritance !== null })
  onReady(admin.path)
  guard ??= startGuard()
  // Ports come and go with services.
  held.use(
    clock.every(holdEveryMs, () => {
      guard?.hold(holdsPorts ? portsOf(platform) : [])
      if ((guard?.pid ?? null) === pointedGuard || !isPointed) return
      isPointed = false
      void writeRest()
    }),
  )
  held.use(clock.after(provenMs, () => guard?.prove()))

  const end = await ended.promise
  // From here on it writes nothing more. After a handover lock and pointer are the other process's.
  isEnding = true
  guard?.[Symbol.dispose]()
  log.info('the edge ends', end)
  // The new edge may be killed and started again while requests still end here.
  if (end.kind === 'handed over') await lock?.[Symbol.asyncDispose]()
  await next.result?.catch(() => undefined)
  if (next.handover) await Promise.all([next.handover.finish(), admin.leave(callersWithinMs)])
  else await admin.close()
  if (end.kind === 'stopped' && !end.withInstances) predecessor?.endWithin(endWithinMs)
  await platform.close(end.kind === 'stopped' && end.withInstances)
  if (end.kind === 'stopped' && predecessor) {
    predecessor.endWithin(0)
    await Promise.race([predecessor.gone, sleep(clock, endWithinMs)])
  }
  // While it holds the lock, so that no other edge can have written one meanwhile.
  if (end.kind === 'stopped') removePointer(directory, { pid: process.pid, identity })
  return end.kind === 'handed over' ? 'handed over' : isOrdered ? 'ordered' : 'signaled'

  /** The lock's file and the pointer, as soon as the disk takes them. Says what it does not take. */
  async function writeRest(): Promise<void> {
    const files = [
      { name: 'edge.lock', isWritten: lock?.isWritten !== false, write: () => lock?.write() },
      {
        name: 'edge.json',
        isWritten: isPointed,
        write: () => point(admin.path).then(() => (isPointed = true)),
      },
    ]
    const failures: string[] = []
    for (const { name, isWritten, write } of files) {
      if (isWritten || isEnding) continue
      try {
        await write()
      } catch (failure) {
        failures.push(`${name} cannot be written: ${messageOf(failure)}.`)
      }
    }
    if (failures.join() !== unwritten.join())
      log.warn(failures.length > 0 ? failures.join(' ') : 'lock and pointer can be written again')
    unwritten = failures
  }

  /** Keeps an order for the audit log of the engine that is there next. */
  function note(
    order: OrderNote['order'],
    by: Actor | string | undefined,
    details: OrderNote['details'],
    failure?: AppError,
  ): void {
    const { code, message = '' } = failure ?? {}
    keepNote(
      directory,
      {
        id: systemRng().hex(16),
        atMs: clock.nowMs(),
        // Only the user of the edge can open its socket.
        actor: typeof by === 'string' ? actorNamed(by) : (by ?? localActor),
        order,
        ...(code ? { failure: { code, text: shortened(message, 500) } } : {}),
        details,
      },
      log,
    )
  }

  async function noted(program: EdgeInput<'handover'>): Promise<{ pid: number }> {
    const from = {
      from: version,
      pidBefore: process.pid,
      ...(program.version ? { to: program.version } : {}),
    }
    try {
      const { pid } = await handOverTo(program)
      note('platform.upgrade', program.by, { ...from, pid })
      return { pid }
    } catch (failure) {
      const reason = failure instanceof AppError ? failure : new AppError('INTERNAL', messageOf(failure))
      note('platform.upgrade', program.by, from, reason)
      throw failure
    }
  }

  async function handOverTo(program: { command: string; args: readonly string[] }): Promise<{ pid: number }> {
    // What the edge before this one still has in progress comes here at last: from one edge to the next, not two.
    predecessor?.endWithin(makeWayWithinMs)
    await Promise.race([predecessor?.gone, ended.promise])
    if (isEnding) throw new AppError('UNAVAILABLE', 'The edge was told to stop.')
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

/**
 * The edge before this one ended before it gave its ports. Its guard holds them and starts the next edge, whose lock
 * this one would take: clients would be refused. Without a guard there is no other edge, and this one goes on.
 */
function leaveToGuard(environment: EdgeRequest['environment']): void {
  if (canGuard(environment))
    throw new AppError(
      'UNAVAILABLE',
      'The edge that started this one to take over has ended. Its guard starts the next one.',
    )
}

/** The kernel takes a moment to end all that a killed process held. */
async function firstLock(path: string, isRevived: boolean): Promise<DirectoryLock> {
  const clock = systemClock()
  const deadline = clock.monotonicMs() + (isRevived ? lockWithinMs : 0)
  for (;;) {
    try {
      return await lockDirectory(path)
    } catch (failure) {
      if (!(failure instanceof AppError) || clock.monotonicMs() >= deadline) throw failure
      await sleep(clock, lockAgainMs)
    }
  }
}

const portsOf = ({ services, unclaimedPorts }: EdgeServices): KeptPort[] => [
  ...[...services].flatMap(([service, { listener, isLeaving }]) => {
    const descriptor = isLeaving ? null : (listener?.descriptor ?? null)
    return descriptor === null ? [] : [{ service, descriptor }]
  }),
  ...[...unclaimedPorts].map(([service, descriptor]) => ({ service, descriptor })),
]
