import { Worker } from 'node:worker_threads'
import { AppError, fail, ok, type Result } from '../../../base/index.ts'
import type { ArchiveState } from './archive.ts'
import type { CallName, Calls, Reply, RequestOf, WorkerStart } from './protocol.ts'

type Settle = (result: Result<unknown>) => void

/** A running worker and the calls it has not answered yet. When it dies they fail with UNAVAILABLE. */
export class WorkerLink {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Settle>()
  #lastId = 0
  #state: ArchiveState = { sizeBytes: 0, damagedChunkCount: 0, notice: '' }
  #upkeepFailure = ''
  /** Resolves with the reason once the worker has ended, whoever ended it. */
  readonly ended: Promise<string>

  private constructor(worker: Worker) {
    this.#worker = worker
    let reason = 'it was closed'
    worker.on('message', (reply: Reply) => this.#take(reply))
    worker.on('error', (error) => (reason = error instanceof Error ? error.message : String(error)))
    this.ended = new Promise((resolve) =>
      worker.on('exit', () => {
        for (const settle of this.#waiting.values()) {
          settle(fail(new AppError('UNAVAILABLE', `The telemetry database stopped: ${reason}.`)))
        }
        this.#waiting.clear()
        resolve(reason)
      }),
    )
  }

  /** Starts a worker on the database; fails as opening the database does. */
  static async open(url: URL | string, start: WorkerStart): Promise<Result<WorkerLink>> {
    const link = new WorkerLink(new Worker(url, { workerData: start, execArgv: [], name: 'telemetry-store' }))
    const opened = await new Promise<Result<unknown>>((settle) => link.#waiting.set(0, settle))
    if (opened.ok) return ok(link)
    await link.ended
    return opened
  }

  get state(): ArchiveState {
    return this.#state
  }

  get upkeepFailure(): string {
    return this.#upkeepFailure
  }

  /** Number of the newest call. */
  get lastId(): number {
    return this.#lastId
  }

  call<K extends CallName>(
    call: K,
    nowMs: number,
    input: Calls[K]['input'],
    transfer: ArrayBuffer[] = [],
  ): Promise<Result<Calls[K]['output']>> {
    const id = ++this.#lastId
    const settled = new Promise<Result<unknown>>((settle) => this.#waiting.set(id, settle))
    const request: RequestOf<K> = { id, call, nowMs, input }
    this.#worker.postMessage(request, transfer)
    return settled as Promise<Result<Calls[K]['output']>>
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #take(reply: Reply): void {
    if (reply.state) this.#state = reply.state
    this.#upkeepFailure = reply.upkeepFailure
    const settle = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    const { result } = reply
    settle?.(result.ok ? ok(result.value) : fail(new AppError(result.failure.code, result.failure.message)))
  }
}
