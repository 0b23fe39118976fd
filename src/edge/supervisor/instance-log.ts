import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { shortened, type Clock } from '../../base/index.ts'
import type { EdgeOutput } from '../../contract/index.ts'
import { LogFile, type Punch } from './log-file.ts'

export type InstanceLogLine = EdgeOutput<'logs'>[number]

export interface InstanceLogOptions {
  /** Size from which the part of a file that was read is cut off, and how much of that is kept next to it, bytes. */
  maxFileBytes?: number
  /** Most bytes of a file to read at a time; the tail skips what an instance prints faster. */
  maxReadBytes?: number
  keptLines?: number
  punch?: Punch
}

const maxLineLength = 8000
const newline = 0x0a

interface Source {
  stream: InstanceLogLine['stream']
  file: LogFile
  /** Where to continue reading; null before the first read. */
  offset: number | null
  /** The file that `offset` refers to. */
  inode: number | null
  /** Position after the last whole line that was read. */
  lineEnd: number
  decoder: StringDecoder
  rest: string
}

/**
 * The output of one instance. The instance writes its two files itself, so nothing is lost while the edge is away.
 * Each call of `read` reads them and keeps the newest lines with the time they were written, as far as the file shows
 * it: lines read together all have the time of the last.
 */
export class InstanceLog {
  readonly #clock: Clock
  readonly #names: { instanceId: string; releaseId: string }
  readonly #sources: readonly [stdout: Source, stderr: Source]
  readonly #maxFileBytes: number
  readonly #maxReadBytes: number
  readonly #keptLines: number
  #lines: InstanceLogLine[] = []
  #reading: Promise<void> | undefined
  #writerPid: number | null = null

  constructor(
    clock: Clock,
    directory: string,
    names: { instanceId: string; releaseId: string },
    { maxFileBytes = 10_000_000, maxReadBytes = 1_000_000, keptLines = 2000, punch }: InstanceLogOptions = {},
  ) {
    this.#clock = clock
    this.#names = names
    this.#maxFileBytes = maxFileBytes
    this.#maxReadBytes = maxReadBytes
    this.#keptLines = keptLines
    const source = (stream: InstanceLogLine['stream'], ending: string, descriptor: number): Source => ({
      stream,
      file: new LogFile({
        path: join(directory, `${names.instanceId}.${ending}.log`),
        keptBytes: maxFileBytes,
        descriptor: () => (this.#writerPid === null ? null : `/proc/${this.#writerPid}/fd/${descriptor}`),
        ...(punch ? { punch } : {}),
      }),
      offset: null,
      inode: null,
      lineEnd: 0,
      decoder: new StringDecoder('utf8'),
      rest: '',
    })
    this.#sources = [source('stdout', 'out', 1), source('stderr', 'err', 2)]
  }

  /** Creates the directory of both files. */
  static async prepare(directory: string): Promise<void> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  }

  /**
   * Deletes logs of instances that are not among `knownIds` and have written nothing since `beforeMs`. A restarted
   * edge does not know instances that were gone before, and nobody else would delete their logs.
   */
  static async sweep(directory: string, knownIds: ReadonlySet<string>, beforeMs: number): Promise<void> {
    for (const name of await readdir(directory)) {
      const id = /^(.+)\.(?:out|err)\.log(?:\.|$)/.exec(name)?.[1]
      if (id === undefined || knownIds.has(id)) continue
      const path = join(directory, name)
      const { mtimeMs } = await stat(path)
      if (mtimeMs < beforeMs) await rm(path, { force: true })
    }
  }

  /** Sets the process that writes both files. */
  follow(pid: number): void {
    if (process.platform === 'linux') this.#writerPid = pid
  }

  get stdoutPath(): string {
    return this.#sources[0].file.path
  }

  get stderrPath(): string {
    return this.#sources[1].file.path
  }

  get lines(): readonly InstanceLogLine[] {
    return this.#lines
  }

  /** Reads what was printed since the last call, and rotates. Never rejects, because a log is no reason to fail. */
  read(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  /** Deletes the files of an instance that is gone for good. */
  async remove(): Promise<void> {
    await this.#reading
    for (const { file } of this.#sources) await file.remove()
  }

  async #readAll(): Promise<void> {
    for (const source of this.#sources) await this.#readSource(source).catch(() => undefined)
    if (this.#lines.length > this.#keptLines) this.#lines = this.#lines.slice(-this.#keptLines)
  }

  async #readSource(source: Source): Promise<void> {
    const { file } = source
    const { start, end, cut, writtenAtMs, inode } = await file.extent()
    // A restarted process writes to a new file when the old one was moved away.
    if (source.inode !== null && source.inode !== inode) this.#seek(source, start)
    source.inode = inode
    // It is shorter than what was read, so someone emptied it.
    if (source.offset !== null && source.offset > end) this.#seek(source, 0)
    if (source.offset === null) this.#seek(source, start)
    const isBehind = end - (source.offset ?? 0) > this.#maxReadBytes
    if (isBehind) this.#seek(source, end - this.#maxReadBytes)
    const from = source.offset ?? 0
    if (from < end) {
      const bytes = await file.read(from, end)
      const skipped = isBehind ? bytes.indexOf(newline) + 1 : 0
      this.#take(source, bytes.subarray(skipped), from + skipped, writtenAtMs)
    }
    const offset = source.offset ?? 0
    if (offset - cut <= this.#maxFileBytes) return
    // Cut at the end of a line, unless one line fills most of the file.
    const at = source.lineEnd - cut > this.#maxFileBytes / 2 ? source.lineEnd : offset
    const left = await file.cutAt(at)
    if (left === null) return
    this.#take(source, left.subarray(offset - at), 0, writtenAtMs)
    source.offset = source.lineEnd = 0
  }

  #seek(source: Source, offset: number): void {
    source.offset = source.lineEnd = offset
    source.rest = ''
    source.decoder = new StringDecoder('utf8')
  }

  /** `bytes` start at offset `from`. */
  #take(source: Source, bytes: Buffer, from: number, writtenAtMs: number): void {
    source.offset = from + bytes.length
    const lastEnd = bytes.lastIndexOf(newline)
    if (lastEnd >= 0) source.lineEnd = from + lastEnd + 1
    const lines = (source.rest + source.decoder.write(bytes)).split('\n')
    // A line without an end is shown once it ends or is too long to wait for.
    source.rest = lines.pop() ?? ''
    if (source.rest.length > maxLineLength) {
      lines.push(source.rest)
      source.rest = ''
    }
    const atMs = Math.min(this.#clock.nowMs(), Math.round(writtenAtMs))
    for (const line of lines)
      this.#lines.push({ atMs, ...this.#names, stream: source.stream, text: shortened(line, maxLineLength) })
  }
}
