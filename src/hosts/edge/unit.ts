import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export interface EdgeUnit {
  /** Of the edge, absolute. */
  directory: string
  command: string
  args: readonly string[]
  /** For the whole machine, started at boot; else for one user. */
  isSystem: boolean
}

/** Tells the service manager that the edge was stopped on purpose and is not to be started again. */
export const stoppedCode = 64

/** Of the unit for one directory: several edges of a machine each have their own. */
export const unitName = (directory: string): string =>
  `pilothouse-edge-${createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 8)}.service`

export const unitPath = (
  directory: string,
  isSystem: boolean,
  configHome = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'),
): string => join(isSystem ? '/etc/systemd/system' : join(configHome, 'systemd/user'), unitName(directory))

/**
 * The systemd unit of an edge. `KillMode=process` leaves instances running when the edge restarts. The edge's own guard
 * brings a crashed edge back first; what systemd starts then waits behind it, which is why it takes its time.
 */
export function edgeUnit({ directory, command, args, isSystem }: EdgeUnit): string {
  const line = [command, ...args, '--directory', directory, '--standby'].map(quoted).join(' ')
  return `[Unit]
Description=Pilothouse edge of ${directory.replaceAll('%', '%%')}
After=network.target

[Service]
Type=simple
ExecStart=${line}
Environment=PILOTHOUSE_EDGE_GUARD=1
Restart=always
RestartSec=2
RestartPreventExitStatus=${stoppedCode}
SuccessExitStatus=${stoppedCode}
KillMode=process
TimeoutStopSec=30
LimitNOFILE=65536

[Install]
WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}
`
}

/** One word of a command line in a unit: systemd itself gives `%`, `$`, quotes and backslashes a meaning. */
const quoted = (word: string): string =>
  `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`
