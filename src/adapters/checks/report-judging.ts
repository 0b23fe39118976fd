import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../../base/index.ts'
import { unreadable, type ReportConfig, type ReportVerdict } from '../../engine/validation/index.ts'

/** What the thread is given. */
export interface ReportWork {
  report: ReportConfig
  bytes: Uint8Array<ArrayBuffer>
}

/**
 * Three times what the worst report takes that is parsed at all. The margin matters: where V8 meets the limit while it
 * parses JSON it ends the whole process, so the bounds of size, depth and values are what protects the engine.
 */
const mostMemoryMb = 1024

/** Beside this file in the source tree; in the bundle this code is in an entry or in a chunk one folder below. */
function workerPath(): string {
  const places = ['./report-worker.js', '../report-worker.js', './report-worker.ts'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  )
  const found = places.find((place) => existsSync(place))
  if (found === undefined)
    throw new Error(`the program that judges reports was not found. Searched: ${places.join(', ')}`)
  return found
}

/** Resolves when all that were asked for before have ended. */
let allBefore: Promise<void> = Promise.resolve()

/**
 * Judges a report in a thread of its own, so that the engine decides and answers meanwhile; takes `bytes` over. One at
 * a time, as large ones take memory. When the signal is aborted the thread is ended.
 */
export async function judgeApart(work: ReportWork, signal: AbortSignal): Promise<ReportVerdict> {
  const before = allBefore
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  allBefore = before.then(() => ended)
  try {
    await orAborted(before, signal)
    return signal.aborted ? stopped : await judgeNow(work, signal)
  } finally {
    end()
  }
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const onAbort = () => resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}

async function judgeNow(work: ReportWork, signal: AbortSignal): Promise<ReportVerdict> {
  const worker = new Worker(workerPath(), {
    workerData: work,
    transferList: [work.bytes.buffer],
    execArgv: [],
    name: 'report',
    resourceLimits: { maxOldGenerationSizeMb: mostMemoryMb },
  })
  const { promise, resolve } = Promise.withResolvers<ReportVerdict>()
  worker.on('message', (verdict: ReportVerdict) => resolve(verdict))
  worker.on('error', (thrown) => resolve(unreadable(troubleOf(thrown))))
  worker.on('exit', () => resolve(unreadable('its parser stopped unexpectedly')))
  const onAbort = () => resolve(stopped)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}

const stopped = unreadable('there was no time left to read it')

const troubleOf = (thrown: unknown): string =>
  (thrown as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? `it takes more than ${mostMemoryMb} MB of memory`
    : messageOf(thrown)
