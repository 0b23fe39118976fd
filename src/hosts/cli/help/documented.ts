import type { Command } from 'commander'

/** A command line as a person would type it, and what it does. */
export interface Example {
  line: string
  effect: string
}

const examples = new WeakMap<Command, readonly Example[]>()

/** Adds examples to the help of a command, its most common use first. */
export function withExamples(command: Command, lines: Readonly<Record<string, string>>): Command {
  examples.set(
    command,
    Object.entries(lines).map(([line, effect]) => ({ line, effect })),
  )
  return command
}

export const examplesOf = (command: Command): readonly Example[] => examples.get(command) ?? []

/** `pilothouse deployments list`. */
export const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()

/** A command and all below it that have no commands of their own, in the order of their registration. */
export const leavesOf = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf)
