import { spawn } from 'node:child_process'

/**
 * Opens `url` in the person's browser where there is a screen and one is known; says whether it tried.
 * The address is an argument of the program, never of a shell.
 */
export function openBrowser(url: string, platform: NodeJS.Platform, env: NodeJS.ProcessEnv): boolean {
  const command = browserCommand(url, platform, env)
  if (!command) return false
  const child = spawn(command[0], command.slice(1), { stdio: 'ignore', detached: true })
  // Not having a browser is no failure: the address stands in the terminal.
  child.on('error', () => undefined)
  child.unref()
  return true
}

export function browserCommand(
  url: string,
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
): [string, ...string[]] | undefined {
  if (platform === 'darwin') return ['open', url]
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url]
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? ['xdg-open', url] : undefined
}
