import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Page } from '@playwright/test'
import type { Shell, ShellOptions } from './shell.ts'
import { dist, surroundingsIn } from './surroundings.ts'

/** The built headless host with its page in the test's own browser. */
export interface Headless extends Shell {
  kind: 'headless'
  /** Address of its page, without a path. */
  origin: string
  /** Starts the server again on the same port with the same data, after it was killed. */
  startAgain(): Promise<void>
}

/** Starts the built server on a free port and opens its page. */
export async function openHeadless(options: ShellOptions): Promise<Headless> {
  const { env, configFile } = surroundingsIn(options)
  const start = (port: number) =>
    startServer(['serve', '--no-open', '--port', String(port), ...(options.args ?? [])], env)
  let server = await start(0)
  const { origin } = new URL(server.address)
  const context = await options.newContext()
  const page = await context.newPage()
  await page.goto(server.address)
  return {
    kind: 'headless',
    page: page satisfies Page,
    configFile,
    origin,
    enginePid: () => Promise.resolve(server.child.pid ?? 0),
    startAgain: async () => {
      server = await start(Number(new URL(origin).port))
    },
    close: async () => {
      await context.close()
      if (server.child.exitCode !== null || server.child.signalCode !== null) return
      const ended = once(server.child, 'exit')
      // A stopped process hears nothing before it goes on.
      server.child.kill('SIGCONT')
      server.child.kill('SIGTERM')
      await ended
    },
  }
}

async function startServer(
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, [dist('node/cli.js'), ...args], { env, stdio: 'pipe' })
  const said: string[] = []
  const address = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said.push(chunk.toString())
      const found = /http:\/\/\S+(?=\s)/.exec(said.join(''))?.[0]
      if (found) resolve(found)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said.join('')}`)))
  })
  return { child, address }
}
