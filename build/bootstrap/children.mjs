import { spawn, spawnSync } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'

/**
 * @typedef {object} Exit
 * @property {number | null} code Exit code; null when a signal or a failed start ended it.
 * @property {boolean} isTimedOut True when it was killed because `limitMs` had passed.
 * @property {Error | null} failure Why it could not be started at all.
 */

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] The whole environment; default this process's.
 * @property {(line: string) => void} [onLine] Given each line of stdout and stderr; without it both go to ours.
 * @property {number} [limitMs] Killed with everything it started when it runs longer.
 * @property {boolean} [isShell] Through the system's shell (Windows needs it for .cmd files).
 */

const isWindows = process.platform === 'win32'

/**
 * The processes this one started. Each leads a process group of its own, so that a terminal's Ctrl-C reaches only
 * us, and so that stopping one also stops what it started in its group.
 */
export class Children {
  /** @type {Set<import('node:child_process').ChildProcess>} */
  #running = new Set()
  #isStopping = false

  /** True once `stop` or `kill` was asked for: nothing more is started. */
  get isStopping() {
    return this.#isStopping
  }

  /**
   * Runs `command` to its end. Never rejects: a command that cannot be started resolves with `failure` set.
   * @param {string} command
   * @param {readonly string[]} args
   * @param {RunOptions} [options]
   * @returns {Promise<Exit>}
   */
  run(command, args, options = {}) {
    if (this.#isStopping) return Promise.resolve({ code: null, isTimedOut: false, failure: null })
    const { cwd, env, onLine, limitMs, isShell = false } = options
    return new Promise((resolve) => {
      const child = spawn(command, args, {
        cwd,
        env: env ?? process.env,
        stdio: ['ignore', onLine ? 'pipe' : 'inherit', onLine ? 'pipe' : 'inherit'],
        detached: !isWindows,
        windowsHide: true,
        shell: isShell,
      })
      this.#running.add(child)
      if (onLine) {
        for (const stream of [child.stdout, child.stderr]) if (stream) splitLines(stream, onLine)
      }
      let isTimedOut = false
      const limit =
        limitMs === undefined
          ? undefined
          : setTimeout(() => {
              isTimedOut = true
              signalTree(child, 'SIGKILL')
            }, limitMs)
      /** @param {number | null} code @param {Error | null} failure */
      const finish = (code, failure) => {
        clearTimeout(limit)
        this.#running.delete(child)
        // Who still holds the other end writes to nobody from here on.
        for (const stream of [child.stdout, child.stderr]) stream?.destroy()
        // Whatever it left in its group would outlive us.
        if (!failure && !isWindows) signalTree(child, 'SIGKILL')
        resolve({ code, isTimedOut, failure })
      }
      child.once('error', (error) => finish(null, error))
      // A grandchild outside the group may hold our pipes open, so that 'close' could wait for ever after 'exit'.
      child.once('exit', (code) => {
        if (!onLine) return finish(code, null)
        const patience = setTimeout(() => finish(code, null), 2000)
        child.once('close', () => {
          clearTimeout(patience)
          finish(code, null)
        })
      })
    })
  }

  /**
   * Asks every running process to end, and kills what is still there after `graceMs`.
   * Their `run` promises resolve as they end.
   * @param {number} graceMs
   */
  stop(graceMs) {
    this.#isStopping = true
    // On Windows the console has already told everybody about Ctrl-C; a polite signal does not exist there.
    for (const child of this.#running) if (!isWindows) signalTree(child, 'SIGTERM')
    setTimeout(() => this.kill(), graceMs).unref()
  }

  /** Kills every running process and its group now. */
  kill() {
    this.#isStopping = true
    for (const child of this.#running) signalTree(child, 'SIGKILL')
  }
}

/**
 * @param {import('node:stream').Readable} stream
 * @param {(line: string) => void} onLine
 */
function splitLines(stream, onLine) {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  stream.on('data', (/** @type {Buffer} */ bytes) => {
    const lines = (rest + decoder.write(bytes)).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    rest += decoder.end()
    if (rest) onLine(rest)
  })
  stream.on('error', () => {})
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalTree(child, signal) {
  if (child.pid === undefined) return
  if (isWindows) {
    spawnSync('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true })
    return
  }
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is empty: it has ended by itself.
  }
}
