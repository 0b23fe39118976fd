import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'
import { type EdgeLog, openOutput } from '../machine/index.ts'
import { AppError, messageOf, type Clock } from '../../base/index.ts'
import { edgeCountsSchema } from '../../contract/index.ts'
import type { AdminServer } from '../admin/index.ts'
import type { EdgeServices, Service, Progress } from '../services/index.ts'
import { askedSchema, successorVariable, type Given } from './messages.ts'
import { Steps } from './steps.ts'

export interface HandoverParts {
  platform: EdgeServices
  admin: AdminServer
  directory: string
  clock: Clock
  log: EdgeLog
  /** Makes this process the holder of the directory's lock again. */
  relock: () => Promise<unknown>
}

/** From its start until its program is loaded; until it knows the state; each of the later steps, ms. */
const loadedWithinMs = 20_000
const preparedWithinMs = 10_000
const stepWithinMs = 5000
const progressEveryMs = 50

/** How long requests and WebSockets may go on at the edge that has handed over. What is left then is cut, ms. */
export const finishWithinMs = 600_000

/**
 * Starts the process that shall be the edge, and makes it be that: it is given the ports, which both then listen on,
 * and all client connections that have no request; requests in progress end here. Until the new one serves everything
 * can be taken back, and is when anything fails: UNAVAILABLE.
 */
export class Handover {
  readonly #parts: HandoverParts
  readonly #child: ChildProcess
  readonly #steps: Steps
  readonly #told = new Map<string, number>()
  readonly #givenConnections = new Set<Socket>()
  #lastProgress = ''
  /** Past the point at which it can be called off: the new edge may serve. */
  #isGiving = false
  #isYours = false
  #finishWithinMs = finishWithinMs
  #isFinishing = false

  constructor(parts: HandoverParts, { command, args }: { command: string; args: readonly string[] }) {
    this.#parts = parts
    const output = openOutput(join(parts.directory, 'edge.out'))
    try {
      this.#child = spawn(command, [...args, '--directory', parts.directory], {
        detached: true,
        env: { ...process.env, [successorVariable]: '1' },
        stdio: ['ignore', output, output, 'ipc'],
        windowsHide: true,
      })
    } finally {
      if (output !== 'ignore') closeSync(output)
    }
    this.#steps = new Steps(this.#child, parts.clock)
    this.#child.on('message', (message) => {
      const asked = askedSchema.safeParse(message).data
      if (asked?.kind === 'cut') parts.platform.cut(asked.instanceId)
      if (asked?.kind === 'end') this.finishWithin(asked.withinMs)
    })
  }

  /** Resolves when the new process is the edge; `finish` is what follows. */
  async run(): Promise<{ pid: number }> {
    const { platform, admin, log, relock } = this.#parts
    try {
      await this.#steps.reached('loaded', loadedWithinMs)
      await admin.hold(() => this.callOff('an emergency rollback was requested'))
      await platform.freeze()
      const inheritance = { ...platform.inheritance, socketPath: admin.path }
      for (const { name, bins } of inheritance.services) this.#told.set(name, bins.seq)
      this.#send({ kind: 'inheritance', inheritance })
      await this.#steps.reached('prepared', preparedWithinMs)
    } catch (failure) {
      await this.#takeBack()
      throw failure
    }
    this.#isGiving = true
    try {
      for (const [name, { listener, isLeaving }] of platform.services)
        if (listener && !isLeaving) this.#send({ kind: 'port', service: name }, listener.shared)
      this.#send({ kind: 'ports given' })
      await this.#steps.reached('serving', stepWithinMs)
      this.#giveAway()
      await this.#steps.reached('open', stepWithinMs)
    } catch (failure) {
      // Its admin socket in place of ours is what makes it the edge, even if it has ended since.
      this.#child.kill('SIGKILL')
      await this.#steps.ended
      if (!(await admin.isReplaced())) {
        await relock()
        if (this.#isYours) for (const service of platform.services.values()) await service.listenAgain()
        await this.#takeBack()
        throw failure
      }
    }
    admin.move()
    platform.abandon()
    log.info('another process is the edge', { pid: this.#child.pid })
    return { pid: this.#child.pid as number }
  }

  /** Calls it off as long as that is possible: until the new edge may serve. */
  callOff(why: string): void {
    if (!this.#isGiving) this.#steps.callOff(why)
  }

  /** What is in progress may take no longer than this from now on. */
  finishWithin(withinMs: number): void {
    this.#finishWithinMs = Math.min(this.#finishWithinMs, withinMs)
    if (this.#isFinishing) void this.#drain()
  }

  /** Resolves when all that was in progress has ended, or its time has. */
  async finish(): Promise<void> {
    const { platform, clock } = this.#parts
    const progress = clock.every(progressEveryMs, () => this.#tellProgress())
    // The new edge has died: nobody reads what it was given.
    void this.#steps.ended.then(() => this.#forgetConnections())
    this.#isFinishing = true
    await this.#drain()
    progress[Symbol.dispose]()
    for (const { bins, traffic } of platform.services.values())
      bins.close(Object.keys(traffic.record.weights))
    this.#tellProgress()
    this.#send({ kind: 'all given' })
    await this.#steps.reached('all taken', stepWithinMs).catch(() => undefined)
    this.#forgetConnections()
  }

  /** Requests in progress do not wait for the drain of their service: only those are new that were pipelined. */
  async #drain(): Promise<void> {
    const withinMs = this.#finishWithinMs
    const services = [...this.#parts.platform.services.values()]
    await Promise.all(
      services.map(async ({ listener, drainMs }) => listener?.drain({ beginWithinMs: drainMs, withinMs })),
    )
  }

  #giveAway(): void {
    // First who acts, then the connections: meanwhile they wait, and nothing is decided here any more.
    const { services } = this.#parts.platform
    const given: [string, Socket][] = []
    for (const [name, service] of services)
      service.listener?.giveAway((connection) => {
        if (this.#isYours) this.#giveConnection(name, connection)
        else given.push([name, connection])
      })
    this.#send({ kind: 'yours', progress: this.#progress() })
    this.#isYours = true
    for (const [name, connection] of given) this.#giveConnection(name, connection)
    this.#send({ kind: 'idle given' })
  }

  #giveConnection(service: string, connection: Socket): void {
    this.#givenConnections.add(connection)
    if (!this.#child.connected) {
      this.#forgetConnections()
      return
    }
    this.#send({ kind: 'connection', service }, connection)
  }

  /** Closes our side of what was given: all there is of it when the new edge did not live to take it. */
  #forgetConnections(): void {
    for (const connection of this.#givenConnections) {
      Reflect.deleteProperty(connection, 'destroy')
      connection.destroy()
    }
    this.#givenConnections.clear()
  }

  #send(given: Given, handle?: Server | Socket): void {
    if (!this.#child.connected) return
    this.#child.send(given, handle, {}, (failure) => {
      if (!failure) return
      const { log } = this.#parts
      log.warn('something could not be handed over', { kind: given.kind, failure: messageOf(failure) })
    })
  }

  #tellProgress(): void {
    const progress = this.#progress()
    const text = JSON.stringify(progress)
    if (text === this.#lastProgress) return
    this.#lastProgress = text
    this.#send({ kind: 'progress', progress })
  }

  #progress(): Progress {
    return [...this.#parts.platform.services].map(([name, service]) => ({
      name,
      inFlight: service.instanceSet.inFlight,
      ended: this.#endedSince(name, service),
    }))
  }

  /** What the bins that the new edge has not been told of have counted. */
  #endedSince(name: string, { bins }: Service): Progress[number]['ended'] {
    const { bins: closed, seq } = bins.after(this.#told.get(name) ?? 0)
    this.#told.set(name, seq)
    return closed
      .filter(({ requests, abandoned, diverted, begun }) => requests + abandoned + diverted + begun > 0)
      .map((bin) => edgeCountsSchema.parse(bin))
  }

  /** This edge goes on. */
  async #takeBack(): Promise<void> {
    const { platform, admin } = this.#parts
    this.#child.kill('SIGKILL')
    await this.#steps.ended
    this.#forgetConnections()
    platform.thaw()
    admin.resume()
  }
}

/** Throws UNSUPPORTED where sockets cannot be passed between processes. */
export function requireHandover(): void {
  if (process.platform === 'win32')
    throw new AppError(
      'UNSUPPORTED',
      'On Windows, one edge cannot take over from another. Stop the edge and start it again, which takes about half a second.',
    )
}
