import { spawn, type ChildProcess } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { messageOf, type Clock, type Rng } from '../../base/index.ts'
import { accountEnvironment, type Account, type AccountSettings } from '../../contract/index.ts'
import { accountFor, withoutInherited } from '../system/index.ts'
import { BoundedOutput } from '../../engine/validation/index.ts'
import { killMarked, signalGroup } from './descendants.ts'

export interface CommandRequest {
  /** Without a shell. */
  argv: readonly string[]
  cwd: string
  /** All of it: nothing of our own environment, which may hold secrets, is added. */
  env: Readonly<Record<string, string>>
  /** Whom it runs as, with no other groups; left out: as we do. */
  runsAs?: AccountSettings | undefined
  /** Ends the command and all it started. */
  signal: AbortSignal
}

export type CommandEnd = { output: string } & (
  | { kind: 'exited'; code: number }
  | { kind: 'killed'; signal: string }
  /** `isTransient`: the machine had no room for one more process. */
  | { kind: 'not started'; why: string; isTransient: boolean }
)

/** From SIGTERM to SIGKILL; within the grace that a stopped check has. */
const graceMs = 500

const lacksRoom: readonly string[] = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']

/**
 * Runs a command in a process group of its own, without input, and gives its end and its output (both streams, in
 * memory at most 64 kB). When it resolves, nothing that the command started is running any more, whether it ended by
 * itself or was stopped. Never rejects.
 */
export async function runCommand(
  request: CommandRequest,
  { clock, rng }: { clock: Clock; rng: Rng },
): Promise<CommandEnd> {
  const { argv, cwd, env, runsAs, signal } = request
  const [file = '', ...args] = argv
  const output = new BoundedOutput()
  if (signal.aborted) return { kind: 'killed', signal: 'SIGKILL', output: '' }
  // The system says the same of a missing program and of a missing directory.
  const isThere = await stat(cwd).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isThere)
    return {
      kind: 'not started',
      why: `the working directory ${cwd} does not exist`,
      isTransient: false,
      output: '',
    }
  const found = accountFor(runsAs ?? { user: null, group: null })
  if ('why' in found) return { kind: 'not started', why: found.why, isTransient: false, output: '' }
  const { account } = found
  const markerName = 'PILOTHOUSE_RUN_ID'
  const markerValue = rng.hex(16)
  let child: ChildProcess
  try {
    // A file that is open to the user of this process may be closed to the user of the command.
    using streams = withoutInherited<'ignore' | 'pipe'>(['ignore', 'pipe', 'pipe'])
    child = spawn(file, args, {
      cwd,
      env: { ...env, ...homeOf(account, env), [markerName]: markerValue },
      detached: process.platform !== 'win32',
      stdio: streams.stdio,
      windowsHide: true,
      ...(account ? { uid: account.uid, gid: account.gid } : {}),
    })
  } catch (thrown) {
    return notStarted(thrown)
  }
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => output.append(chunk))
    stream?.on('error', () => undefined)
  }
  const { promise: ended, resolve: end } = Promise.withResolvers<CommandEnd>()
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  child.on('error', (error) => {
    if (child.pid === undefined) end(notStarted(error))
  })
  child.on('exit', (code, name) => {
    end(
      code === null
        ? { kind: 'killed', signal: name ?? 'SIGKILL', output: '' }
        : { kind: 'exited', code, output: '' },
    )
  })
  child.on('close', () => close())

  let hardTimer: Disposable | undefined
  const stop = () => {
    const { pid } = child
    if (pid === undefined) return
    signalGroup(pid, 'SIGTERM')
    hardTimer = clock.after(graceMs, () => signalGroup(pid, 'SIGKILL'))
  }
  signal.addEventListener('abort', stop, { once: true })
  const how = await ended
  signal.removeEventListener('abort', stop)
  hardTimer?.[Symbol.dispose]()
  if (how.kind === 'not started' || child.pid === undefined) return how

  signalGroup(child.pid, 'SIGKILL')
  await killMarked(`${markerName}=${markerValue}`)
  // Whoever still holds the streams got away; their end is not waited for.
  using _giveUp = clock.after(graceMs, close)
  await closed
  child.stdout?.destroy()
  child.stderr?.destroy()
  return { ...how, output: output.text() }
}

/** What the environment has of our own user, as the account has it. What someone wrote stays. */
const homeOf = (account: Account | null, env: CommandRequest['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(accountEnvironment(account)).filter(([name]) => env[name] === process.env[name]),
  )

/** How a command ended, as a clause without a full stop. */
export function endText(end: CommandEnd): string {
  switch (end.kind) {
    case 'exited':
      return end.code === 0 ? 'succeeded' : `exited with code ${end.code}`
    case 'killed':
      return `was killed by ${end.signal}`
    case 'not started':
      return `could not be started: ${end.why}`
  }
}

function notStarted(thrown: unknown): CommandEnd {
  const code = (thrown as NodeJS.ErrnoException).code ?? ''
  const why: Record<string, string> = {
    ENOENT: 'the program does not exist',
    EACCES: 'it is not executable',
    EPERM: 'it is not executable',
    E2BIG: 'its arguments and environment are too long',
  }
  return {
    kind: 'not started',
    why: why[code] ?? messageOf(thrown),
    isTransient: lacksRoom.includes(code),
    output: '',
  }
}
