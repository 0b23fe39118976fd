import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EdgeClient } from '../../adapters/targets/edge/index.ts'
import { AppError, fail, ok, sleep, type Clock, type Result } from '../../engine/core/index.ts'
import { edgeSocketPath } from './places.ts'

export interface EdgeLaunch {
  directory: string
  clock: Clock
  /** This process's own Node unless told otherwise. */
  program?: EdgeProgram | undefined
}

/**
 * What runs an edge, to which `--directory PATH` is added. A packaged desktop app has no Node: it names itself, with
 * the argument by which its main process knows what it shall be.
 */
export interface EdgeProgram {
  command: string
  args: readonly string[]
}

/** An edge that does not answer by then has failed to start. */
const startWithinMs = 20_000
const lookEveryMs = 50
/** A larger output of edges is put aside. */
const maxOutputBytes = 1_000_000

/** Beside this file in the source tree; in the bundle this code is in an entry or in a chunk one folder below. */
function entryPath(): string {
  const places = ['./edge.js', '../edge.js', './main.ts'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  )
  const found = places.find((place) => existsSync(place))
  if (found === undefined) throw new Error(`the edge is at none of ${places.join(', ')}`)
  return found
}

/** This process's own Node, with the edge that it came with. */
export const ownProgram = (): EdgeProgram => ({ command: process.execPath, args: [entryPath()] })

/**
 * A client of the edge of a directory, which is started when none runs: as a process of its own that neither ends
 * with this one nor holds it. Two that start one at the same time get the same. UNAVAILABLE with what it said when
 * it does not start.
 */
export async function ensureEdge({
  directory,
  clock,
  program = ownProgram(),
}: EdgeLaunch): Promise<Result<EdgeClient>> {
  const client = new EdgeClient({ socketPath: edgeSocketPath(directory) })
  if ((await client.call('status', {})).ok) return ok(client)

  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const outputPath = join(directory, 'edge.out')
  // What an edge before it said is kept: why it ended.
  if ((statSync(outputPath, { throwIfNoEntry: false })?.size ?? 0) > maxOutputBytes)
    renameSync(outputPath, `${outputPath}.old`)
  const output = openSync(outputPath, 'a', 0o600)
  const from = fstatSync(output).size
  const child = spawn(program.command, [...program.args, '--directory', directory], {
    detached: true,
    stdio: ['ignore', output, output],
    windowsHide: true,
  })
  closeSync(output)
  let failure = ''
  child.once('error', ({ message }) => (failure = message))
  child.unref()

  const deadline = clock.monotonicMs() + startWithinMs
  while (clock.monotonicMs() < deadline && failure === '') {
    await sleep(clock, lookEveryMs)
    const status = await client.call('status', {})
    if (status.ok) {
      // Another start was first. Ours may still be on its way, and would serve when that one is stopped.
      if (status.value.pid !== child.pid) child.kill('SIGKILL')
      return ok(client)
    }
    if (child.exitCode !== null && child.exitCode !== 0) {
      const said = readFileSync(outputPath).subarray(from).toString().trim().slice(-2000)
      if (!said.includes('runs already')) failure = said || `it ended with code ${child.exitCode}`
    }
  }
  await client[Symbol.asyncDispose]()
  const why = failure || `it did not answer within ${startWithinMs / 1000} s`
  return fail(new AppError('UNAVAILABLE', `The edge of ${directory} could not be started: ${why}`))
}
