import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, fail, messageOf, ok, sleep, type Clock, type Result } from '../../base/index.ts'
import { duration } from '../../contract/index.ts'
import type { EdgeClient } from '../../adapters/platforms/edge/index.ts'
import { identityOf, isUnwritable, openOutput } from '../../edge/index.ts'
import { edgeClient, edgeRemedy } from './find.ts'
import { endGuards } from './crash-loop.ts'
import { guardVariable } from './guard.ts'
import { readPointer } from './pointer.ts'

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
/** An edge that still runs without an answer by then was not just killed. */
const hangsAfterMs = 2000
/** A larger output of edges is put aside. */
const maxOutputBytes = 1_000_000

/** Beside this file in the source tree; in the bundle this code is in an entry or in a chunk one folder below. */
function entryPath(): string {
  const places = ['./edge.js', '../edge.js', './main.ts'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  )
  const found = places.find((place) => existsSync(place))
  if (found === undefined) throw new Error(`the edge program was not found. Searched: ${places.join(', ')}`)
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
  const client = edgeClient(directory)
  const answer = await client.call('status', {})
  if (answer.ok) return ok(client)
  if (answer.error.code === 'FORBIDDEN') {
    await client[Symbol.asyncDispose]()
    return answer
  }
  if (await comesBack(directory, client, clock)) return ok(client)

  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (failure) {
    await client[Symbol.asyncDispose]()
    return fail(
      new AppError(
        'UNAVAILABLE',
        `The directory of the edge, ${directory}, cannot be created: ${messageOf(failure)}`,
      ),
    )
  }
  const outputPath = join(directory, 'edge.out')
  // What an edge before it said is kept: why it ended.
  if (sizeOf(outputPath) > maxOutputBytes) putAside(outputPath)
  const output = openOutput(outputPath)
  const from = sizeOf(outputPath)
  const child = spawn(program.command, [...program.args, '--directory', resolve(directory)], {
    // It outlives the directory that someone happens to stand in.
    cwd: directory,
    detached: true,
    env: { ...process.env, [guardVariable]: '1' },
    stdio: ['ignore', output, output],
    windowsHide: true,
  })
  if (output !== 'ignore') closeSync(output)
  let failure = ''
  let isTaken = false
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
      const said =
        output === 'ignore' ? '' : readFileSync(outputPath).subarray(from).toString().trim().slice(-2000)
      if (said.includes('already running')) isTaken = true
      else failure = said || `it ended with code ${child.exitCode}`
    }
  }
  await client[Symbol.asyncDispose]()
  if (isTaken)
    return fail(
      new AppError('UNAVAILABLE', `The edge of ${directory} did not respond.`, {
        remedy: await edgeRemedy(directory),
      }),
    )
  const why = failure || `it did not answer within ${duration(startWithinMs)}`
  return fail(new AppError('UNAVAILABLE', `The edge of ${directory} could not be started: ${why}`))
}

/** 0 when the file does not exist. */
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** On a read-only disk it stays. */
function putAside(path: string): void {
  try {
    renameSync(path, `${path}.old`)
  } catch (failure) {
    if (!isUnwritable(failure)) throw failure
  }
}

/**
 * Whether an edge that crashed answers again, started by its guard. As long as that process lives, another edge would
 * only be in its way: the guard holds the ports, and who waits at them is cut off when it goes. One that has not
 * served in time, as edges crash in a row, is ended, since someone wants an edge now.
 */
async function comesBack(directory: string, client: EdgeClient, clock: Clock): Promise<boolean> {
  const pointer = readPointer(directory)
  if (!pointer?.guard) return false
  const { guard } = pointer
  const isThere = async ({ pid, identity }: { pid: number; identity: string }) =>
    (await identityOf(pid)) === identity
  const startedMs = clock.monotonicMs()
  while (await isThere(guard)) {
    if ((await client.call('status', {})).ok) return true
    const passedMs = clock.monotonicMs() - startedMs
    // One that was killed takes a moment to die; one that hangs is not for us to end.
    if (passedMs >= hangsAfterMs && (await isThere(pointer))) return false
    if (passedMs >= startWithinMs) {
      // Those of edges before it, too: each would start an edge of its own beside ours.
      await endGuards(directory)
      return false
    }
    await sleep(clock, lookEveryMs)
  }
  return (await client.call('status', {})).ok
}
