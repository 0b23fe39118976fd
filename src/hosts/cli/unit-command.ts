import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { AppError, messageOf } from '../../base/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { tellFailure } from './failure.ts'
import { exitCodes, report } from './output.ts'

/** `pilothouse edge install|uninstall`: writes or removes the systemd unit of the edge of a directory. */
export async function unitCommand(
  verb: { kind: 'install'; isPrinted: boolean } | { kind: 'uninstall' },
  edgeDirectory: string,
  surroundings: CommandSurroundings & { isJson: boolean },
): Promise<number> {
  const { out, isJson } = surroundings
  const { edgeUnit, ownProgram, unitName, unitPath } = await import('../edge/index.ts')
  if (process.platform !== 'linux' || process.versions['electron'] !== undefined)
    return tellFailure(
      new AppError('UNSUPPORTED', 'A systemd unit needs Linux and the headless program.', {
        remedy: 'The desktop app starts the edge itself.',
      }),
      surroundings,
    )
  const directory = resolve(edgeDirectory)
  const isSystem = process.getuid?.() === 0
  const path = unitPath(directory, isSystem)
  const systemctl = isSystem ? 'systemctl' : 'systemctl --user'
  const told = (sentence: string, commands: readonly string[], unit?: string) =>
    report(
      surroundings,
      { path, commands, ...(unit === undefined ? {} : { unit }) },
      () => `${sentence}\n${commands.map((command) => `  ${command}\n`).join('')}`,
    )
  try {
    if (verb.kind === 'uninstall') {
      await rm(path)
      told(`Removed ${path}. The edge keeps running until it is stopped. Run:`, [
        `${systemctl} disable ${unitName(directory)}`,
        `${systemctl} daemon-reload`,
      ])
      return exitCodes.ok
    }
    const unit = edgeUnit({ directory, ...ownProgram(), isSystem })
    if (verb.isPrinted && !isJson) {
      out.write(unit)
      return exitCodes.ok
    }
    if (!verb.isPrinted) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, unit)
    }
    told(
      `Wrote ${path}. Run:`,
      [
        `${systemctl} daemon-reload`,
        `${systemctl} enable --now ${unitName(directory)}`,
        ...(isSystem ? [] : ['loginctl enable-linger   # to start it at boot, without a login']),
      ],
      unit,
    )
    return exitCodes.ok
  } catch (failure) {
    const isMissing = verb.kind === 'uninstall' && (failure as { code?: string }).code === 'ENOENT'
    return tellFailure(
      isMissing
        ? new AppError('NOT_FOUND', `No unit is installed for this edge: ${path} does not exist.`, {
            remedy: '',
          })
        : new AppError(
            'UNAVAILABLE',
            `${path} cannot be ${verb.kind === 'install' ? 'written' : 'removed'}: ${messageOf(failure)}`,
            { cause: failure },
          ),
      surroundings,
    )
  }
}
