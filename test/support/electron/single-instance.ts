import { mkdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync, type FSWatcher } from 'node:fs'
import { join } from 'node:path'

/** Only one app a data directory; a second one hands its arguments to the first. Files, since the answer is due at once. */
export class SingleInstance {
  readonly isFirst: boolean
  #file: string
  #watcher: FSWatcher | undefined

  constructor(directory: string, second: (argv: string[], cwd: string) => void) {
    this.#file = join(directory, 'double.lock')
    const inbox = join(directory, 'double.inbox')
    mkdirSync(inbox, { recursive: true })
    this.isFirst = this.#lock()
    if (!this.isFirst) {
      const name = join(inbox, `${process.pid}`)
      writeFileSync(`${name}.new`, JSON.stringify({ argv: process.argv, cwd: process.cwd() }))
      renameSync(`${name}.new`, `${name}.json`)
      return
    }
    this.#watcher = watch(inbox, (_event, name) => {
      if (!name?.endsWith('.json')) return
      const file = join(inbox, name)
      let text: string
      try {
        text = readFileSync(file, 'utf8')
      } catch {
        return
      }
      rmSync(file, { force: true })
      const { argv, cwd } = JSON.parse(text) as { argv: string[]; cwd: string }
      second(argv, cwd)
    })
    this.#watcher.unref()
  }

  release(): void {
    this.#watcher?.close()
    if (this.isFirst) rmSync(this.#file, { force: true })
  }

  #lock(): boolean {
    try {
      writeFileSync(this.#file, `${process.pid}`, { flag: 'wx' })
      return true
    } catch {
      if (isAlive(Number(readFileSync(this.#file, 'utf8')))) return false
      writeFileSync(this.#file, `${process.pid}`)
      return true
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
