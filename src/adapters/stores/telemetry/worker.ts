import { parentPort, workerData } from 'node:worker_threads'
import { AppError } from '../../../base/index.ts'
import { Archive } from './archive.ts'
import type { Reply, Request, WorkerStart } from './protocol.ts'
import { type StoreFailure, storeFailureOf } from './failures.ts'

/** The thread that alone touches the telemetry database. Upkeep runs in small pieces, calls come between them. */

if (!parentPort) throw new Error('this file is the telemetry store’s worker, not a program')
const port = parentPort
const start = workerData as WorkerStart
let archive: Archive | undefined
let lastCommit = 0
let upkeepFailure = ''
let isUpkeepPlanned = false

function reply(id: number, result: Reply['result'], transfer: ArrayBuffer[] = []): void {
  port.postMessage({ id, result, state: archive?.state(), upkeepFailure } satisfies Reply, transfer)
}

/** A failure that may happen as a value; a defect ends the worker, and its parent starts another. */
function failureOf(thrown: unknown): StoreFailure {
  if (thrown instanceof AppError) return { code: thrown.code, message: thrown.message }
  const failure = storeFailureOf(thrown)
  if (!failure) throw thrown
  return failure
}

function answer(request: Request, open: Archive): void {
  switch (request.call) {
    case 'register':
      reply(request.id, {
        ok: true,
        value: open.register(request.input.hostId, request.input.keys, request.nowMs),
      })
      return
    case 'commit': {
      const refusedCount = open.commit(request.input.batches, request.nowMs)
      lastCommit = request.id
      reply(request.id, { ok: true, value: refusedCount })
      planUpkeep(request.nowMs)
      return
    }
    case 'chart': {
      const { query, sent, waiting, commit } = request.input
      const pending = commit <= lastCommit ? waiting : [...sent, ...waiting]
      const chart = open.chart(query, pending, request.nowMs)
      const buffers = chart.series.flatMap(({ timesMs, min, mean, max }) => [timesMs, min, mean, max])
      const distinct = new Set(buffers.map((column) => column.buffer))
      reply(request.id, { ok: true, value: chart }, [...distinct])
      return
    }
    case 'retain':
      open.retain(request.input.retention)
      reply(request.id, { ok: true, value: null })
      return
    case 'close':
      open.close()
      archive = undefined
      reply(request.id, { ok: true, value: null })
      port.close()
  }
}

function planUpkeep(nowMs: number): void {
  if (isUpkeepPlanned) return
  isUpkeepPlanned = true
  setImmediate(() => {
    isUpkeepPlanned = false
    try {
      if (archive?.maintain(nowMs)) planUpkeep(nowMs)
      upkeepFailure = ''
    } catch (thrown) {
      upkeepFailure = failureOf(thrown).message
    }
  })
}

function serve(): void {
  port.on('message', (request: Request) => {
    if (!archive) return
    try {
      answer(request, archive)
    } catch (thrown) {
      reply(request.id, { ok: false, failure: failureOf(thrown) })
    }
  })
}

try {
  archive = new Archive(start.file, start.retention, start.nowMs)
  reply(0, { ok: true, value: null })
  serve()
} catch (thrown) {
  // Nothing listens then, so the thread ends by itself.
  reply(0, { ok: false, failure: failureOf(thrown) })
}
