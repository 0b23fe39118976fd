import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { AppError } from '../../base/index.ts'
import { readConfig, type ConfigRequest } from '../../adapters/config/index.ts'
import { endEdge, openShop, prepareDemo, type DemoPlace } from '../demo/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { engineCalls } from './operations/index.ts'
import { tellFailure } from './failure.ts'
import { tellProblems } from './problem-text.ts'
import { serveCommand, type ServeRequest } from './serve-command.ts'

/**
 * `pilothouse demo`: the shop in a directory of its own below the data directory, steered by an engine of its own,
 * until a signal ends them all. 0 after a signal, 1 when it cannot start.
 */
export async function demoCommand(request: ServeRequest, surroundings: CommandSurroundings): Promise<number> {
  const { result, ...source } = await readConfig(request.config)
  if (!result.ok)
    return tellProblems(result.error, source, request.config.system, { ...surroundings, isJson: false })
  const directory = join(result.value.config.dataDirectory, 'demo')
  try {
    const place = await prepareDemo(directory)
    try {
      return await serveCommand(
        {
          ...request,
          config: configOf(request.config, place),
          companion: async ({ access, clock, signal }) => {
            const shop = await openShop(place, { engine: engineCalls(access), clock, signal })
            surroundings.out.write(welcome(place, surroundings))
            return shop
          },
        },
        surroundings,
      )
    } finally {
      await endEdge(directory)
    }
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure
    return tellFailure(failure, { ...surroundings, isJson: false })
  }
}

/** The demo's own file and directory; of the flags, those about the server still hold. */
const configOf = ({ system, flags = [] }: ConfigRequest, place: DemoPlace): ConfigRequest => ({
  system,
  file: place.configFile,
  flags: [
    ...flags.filter(({ path }) => path.startsWith('server.') || path.startsWith('logging.')),
    { name: '--data-dir', path: 'dataDirectory', text: place.directory },
  ],
})

function welcome({ directory }: DemoPlace, { out }: CommandSurroundings): string {
  const command = ownCommand()
  const where = `--data-dir ${directory}`
  return [
    `The shop is open: catalog, cart and checkout are running under traffic.\n`,
    `Releases to deploy: good, errors, slow-tail, memory-leak, never-healthy, slow-start. For example:\n`,
    `  ${out.style('bold', `${command} deploy checkout errors --watch ${where}`)}\n`,
    `Ctrl-C stops the shop and the whole demo.\n`,
  ].join('')
}

/** What a person types: a clone has no `pilothouse` on the path, but a launcher that finds the Node it needs. */
function ownCommand(): string {
  const [, program = ''] = process.argv
  const launcher = join(program, '../../../build/pilothouse.mjs')
  return existsSync(launcher) ? `node ${relative(process.cwd(), launcher)}` : 'pilothouse'
}
