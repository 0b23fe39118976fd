import { existsSync } from 'node:fs'

const shell = '/bin/sh'

/**
 * A minimal init in POSIX shell: starts the program in its arguments, passes signals on, collects every child that ends
 * (a shell waits for all of them, Node for its own alone), and exits as the program does.
 */
const init = `for name in TERM INT HUP; do trap "kill -$name \\$child" $name; done
"$@" <&0 &
child=$!
while :; do
  wait "$child"
  code=$?
  kill -0 "$child" 2>/dev/null || exit "$code"
done`

/**
 * In a container without an init, this process is number 1 and inherits the orphans of instances, which nobody collects
 * when they end. Replaces itself by a shell that does, with this program as its child; does nothing elsewhere. The
 * script is fixed, and the program is in its arguments.
 */
export function leaveProcessOne(): void {
  if (process.pid !== 1 || process.platform !== 'linux') return
  const { execPath, execArgv, argv, env } = process
  const program = [execPath, ...execArgv, ...argv.slice(1)]
  if (process.execve && existsSync(shell)) {
    const variables = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
    process.execve(shell, ['sh', '-c', init, 'pilothouse-init', ...program], Object.fromEntries(variables))
  }
  process.stderr.write(
    'pilothouse: running as process 1 without an init: processes that instances leave behind stay as zombies. Start the container with an init, such as docker run --init.\n',
  )
}
