import type { Command, CommanderError } from 'commander'
import { AppError } from '../../../base/index.ts'
import { nearest } from '../../../engine/config/index.ts'
import { pathOf } from './documented.ts'
import { usageOf } from './help-text.ts'

/** A command line that the program does not understand: what is wrong, the nearest thing it knows, and where help is. */
export function usageFailure(command: Command, { message, code }: CommanderError): AppError {
  const { text, written } = readable(message, code)
  const meant = meantBy(command, code, written)
  const known = code === 'commander.unknownCommand' ? namesOf(command).join(', ') : ''
  const advice = meant !== undefined ? ` Did you mean ${meant}?` : known && ` Commands: ${known}.`
  return new AppError('BAD_INPUT', `${text}.${advice}`, {
    remedy: `Usage: ${usageOf(command)}\nFor help, run: ${pathOf(command)} --help`,
    details: meant === undefined ? {} : { meant },
  })
}

/** Commander's sentence without its prefix, the thing it quotes, and the mistaken word. */
function readable(message: string, code: string): { text: string; written: string } {
  const text = message.replace(/^error: /, '').replace(/\.$/, '')
  const { name, value, why } =
    /^(?:option|command-argument value) '(?<name>[^']*)' (?:argument '(?<value>[^']*)' is invalid|is invalid for argument '\w+')\. (?<why>.*)$/.exec(
      text,
    )?.groups ?? {}
  if (code === 'commander.invalidArgument' && why !== undefined) {
    const place = value === undefined ? '' : `${name ?? ''}: `
    const expected = why.replace(/^Allowed choices are /, 'choose one of ')
    return {
      text: `${place}"${value ?? name ?? ''}" is not valid; ${expected}`,
      written: value ?? name ?? '',
    }
  }
  return {
    text: `${text.charAt(0).toUpperCase()}${text.slice(1)}`,
    written: /'([^']*)'/.exec(text)?.[1] ?? '',
  }
}

const namesOf = ({ commands }: Command) => commands.map((each) => each.name())

function meantBy(command: Command, code: string, written: string): string | undefined {
  switch (code) {
    case 'commander.unknownCommand':
      return nearest(written, namesOf(command))
    case 'commander.unknownOption':
      return nearest(written, optionsOf(command))
    case 'commander.invalidArgument':
      return nearest(written, [
        ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
        ...command.options.flatMap(({ argChoices = [] }) => argChoices),
      ])
    default:
      return undefined
  }
}

/** Long options of a command and of all above it. */
function optionsOf(command: Command): string[] {
  const own = command.options.flatMap(({ long }) => long ?? [])
  return [...own, ...(command.parent ? optionsOf(command.parent) : []), '--help']
}
