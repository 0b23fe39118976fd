import { Argument, CommanderError, type Command } from 'commander'
import type { CommandSurroundings } from './config-commands.ts'
import {
  completionScript,
  referenceText,
  shells,
  usageFailure,
  withExamples,
  type Shell,
} from './help/index.ts'
import { exitCodes } from './output.ts'

/** Adds what tells of all commands, each from the same tree of them. */
export function registerHelp(
  program: Command,
  { out }: CommandSurroundings,
  done: (code: number) => void,
): void {
  withExamples(program.command('help'), {
    'pilothouse help deployments undo': 'Show the help of a command',
    'pilothouse help --markdown': 'Print the reference of all commands',
  })
    .description('Show the help of a command')
    .argument('[command...]', 'Words of the command, such as: edge stop')
    .option('--markdown', 'Print the reference of all commands as Markdown')
    .action((words: string[], { markdown = false }: { markdown?: boolean }) => {
      if (markdown) out.write(referenceText(program))
      else described(program, words).outputHelp()
      done(exitCodes.ok)
    })
  withExamples(program.command('completion'), {
    'source <(pilothouse completion bash)': 'Enable completion in this bash session',
    'pilothouse completion fish > ~/.config/fish/completions/pilothouse.fish':
      'Enable completion in every fish session',
  })
    .description('Print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'Shell to write it for').choices(shells))
    .action((shell: Shell) => {
      out.write(completionScript(shell, program))
      done(exitCodes.ok)
    })
}

/** The command of these words. Throws AppError with the nearest one. */
function described(program: Command, words: readonly string[]): Command {
  let found = program
  for (const word of words) {
    const next = found.commands.find((each) => each.name() === word)
    // What follows are arguments.
    if (!next && found.commands.length === 0) return found
    if (!next)
      throw usageFailure(
        found,
        new CommanderError(exitCodes.usage, 'commander.unknownCommand', `unknown command '${word}'`),
      )
    found = next
  }
  return found
}
