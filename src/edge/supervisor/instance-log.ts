import { constants } from 'node:fs'
import { copyFile, mkdir, open, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import type { EdgeOutput } from '../../contract/index.ts'
import type { EdgeClock } from '../clock.ts'

export type LogLine = EdgeOutput<'logs'>[number]

/** A file above this is copied to `.1` and emptied. */
const maxFileBytes = 10_000_000
/** At most this much of a file is read at a time; what an instance prints faster is passed over in the tail. */
const maxReadBytes = 1_000_000
const maxLineLength = 8000
const keptLines = 2000

interface Source {
  stream: LogLine['stream']
  path: string
  offset: number
  decoder: StringDecoder
  rest: string
}

/**
 * What one instance prints. The instance writes its two files itself, so that nothing is lost while the edge is
 * away; they are read each time `read` is called, and the newest lines are kept with the time they were seen.
 */
export class InstanceLog {
  readonly stdoutPath: string
  readonly stderrPath: string
  readonly #clock: EdgeClock
  readonly #names: { instanceId: string; releaseId: string }
  readonly #sources: Source[]
  #lines: LogLine[] = []
  #reading: Promise<void> | undefined

  constructor(clock: EdgeClock, directory: string, names: { instanceId: string; releaseId: string }) {
    this.#clock = clock
    this.#names = names
    this.stdoutPath = join(directory, `${names.instanceId}.out.log`)
    this.stderrPath = join(directory, `${names.instanceId}.err.log`)
    const source = (stream: LogLine['stream'], path: string): Source => ({
      stream,
      path,
      offset: 0,
      decoder: new StringDecoder('utf8'),
      rest: '',
    })
    this.#sources = [source('stdout', this.stdoutPath), source('stderr', this.stderrPath)]
  }

  /** Makes the directory that both files are in. */
  static async prepare(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  }

  get lines(): readonly LogLine[] {
    return this.#lines
  }

  /** Takes up what was printed since the last call, and rotates. Never rejects: a log is no reason to fail. */
  read(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  /** Deletes the files: the instance has gone for good. */
  async remove(): Promise<void> {
    for (const { path } of this.#sources) {
      await rm(path, { force: true })
      await rm(`${path}.1`, { force: true })
    }
  }

  async #readAll(): Promise<void> {
    for (const source of this.#sources) await this.#readSource(source).catch(() => undefined)
    if (this.#lines.length > keptLines) this.#lines = this.#lines.slice(-keptLines)
  }

  async #readSource(source: Source): Promise<void> {
    const file = await open(source.path, 'r')
    try {
      const { size } = await file.stat()
      if (size < source.offset) source.offset = 0
      if (size - source.offset > maxReadBytes) {
        source.offset = size - maxReadBytes
        source.rest = ''
      }
      const buffer = Buffer.alloc(size - source.offset)
      const { bytesRead } = await file.read(buffer, 0, buffer.length, source.offset)
      source.offset += bytesRead
      this.#take(source, source.decoder.write(buffer.subarray(0, bytesRead)))
    } finally {
      await file.close()
    }
    if (source.offset > maxFileBytes) {
      await copyFile(source.path, `${source.path}.1`, constants.COPYFILE_FICLONE)
      await truncate(source.path, 0)
      source.offset = 0
    }
  }

  #take(source: Source, text: string): void {
    const lines = (source.rest + text).split('\n')
    // A line without an end is shown when it ends, or has grown too long to wait for.
    source.rest = lines.pop() ?? ''
    if (source.rest.length > maxLineLength) {
      lines.push(source.rest)
      source.rest = ''
    }
    const atMs = this.#clock.nowMs()
    for (const line of lines)
      this.#lines.push({ atMs, ...this.#names, stream: source.stream, text: line.slice(0, maxLineLength) })
  }
}
