import type { Server, Socket } from 'node:net'
import type { EdgeServices, Inheritance, Progress } from '../services/index.ts'
import { givenSchema, successorVariable, type Asked, type HandoverStep } from './messages.ts'

/**
 * The edge that started this process to take over from it. Once it has given its ports this one goes on alone when it
 * ends. Before, its guard has them and starts the next edge.
 */
export class Predecessor {
  readonly #inheritance = Promise.withResolvers<Inheritance | null>()
  readonly #isGiven = Promise.withResolvers<boolean>()
  readonly #acts = Promise.withResolvers<Progress>()
  readonly #gone = Promise.withResolvers<void>()
  #platform: EdgeServices | null = null
  /** Served together when all have come: each would come later if those before it were served first. */
  #waiting: { service: string; connection: Socket }[] | null = []

  /** Null when no edge has started this process. */
  static of(environment: Readonly<Record<string, string | undefined>>): Predecessor | null {
    if (environment[successorVariable] === undefined || !process.connected) return null
    return new Predecessor()
  }

  private constructor() {
    process.on('message', (message, handle) => this.#take(message, handle as Server | Socket | undefined))
    process.once('disconnect', () => {
      this.#inheritance.resolve(null)
      this.#isGiven.resolve(false)
      this.#serveWaiting()
      this.#acts.resolve([])
      this.#gone.resolve()
      this.#platform?.forgetPredecessor()
    })
  }

  /** Resolves when it has nothing left: no request, and no connection. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** What is not in the state, which is at rest from then on. Null when it has ended before it gave anything. */
  inherit(): Promise<Inheritance | null> {
    this.#tell('loaded')
    return this.#inheritance.promise
  }

  /**
   * Serves beside it; resolves when `platform` shall act and it no longer does. Whether it had given all ports by then:
   * it may have ended before.
   */
  async serve(platform: EdgeServices): Promise<boolean> {
    this.#platform = platform
    this.#tell('prepared')
    const hasPorts = await this.#isGiven.promise
    this.#tell('serving')
    platform.heed(await this.#acts.promise)
    return hasPorts
  }

  /** This process is the edge. */
  open(): void {
    this.#tell('open')
  }

  /** It has requests in progress at this instance, which is about to be stopped: it cuts them. */
  cut(instanceId: string): void {
    this.#send({ kind: 'cut', instanceId })
  }

  /** It ends within this time, with whatever it still has in progress. */
  endWithin(withinMs: number): void {
    this.#send({ kind: 'end', withinMs })
  }

  #tell(step: HandoverStep): void {
    this.#send({ step })
  }

  #send(message: Asked | { step: HandoverStep }): void {
    if (process.connected) process.send?.(message, undefined, {}, () => undefined)
  }

  #take(message: unknown, handle: Server | Socket | undefined): void {
    const given = givenSchema.parse(message)
    switch (given.kind) {
      case 'inheritance':
        return this.#inheritance.resolve(given.inheritance)
      case 'port':
        // In the turn in which it came: it accepts from now on.
        return this.#platform?.services.get(given.service)?.takePort(handle as Server)
      case 'ports given':
        return this.#isGiven.resolve(true)
      case 'yours':
        return this.#acts.resolve(given.progress)
      case 'connection':
        // Its client may have gone on the way.
        if (handle) this.#takeConnection(given.service, handle as Socket)
        return
      case 'idle given':
        return this.#serveWaiting()
      case 'progress':
        return this.#platform?.heed(given.progress)
      case 'all given':
        this.#tell('all taken')
        return
    }
  }

  #takeConnection(service: string, connection: Socket): void {
    if (!this.#waiting) {
      this.#platform?.services.get(service)?.takeConnection(connection)
      return
    }
    connection.on('error', () => undefined)
    this.#waiting.push({ service, connection })
  }

  #serveWaiting(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const { service, connection } of waiting)
      if (!connection.destroyed) this.#platform?.services.get(service)?.takeConnection(connection)
  }
}
