import type { Argument, Command, Option } from 'commander'
import { fitted, table, wrapped } from '../layout/index.ts'
import { examplesOf, pathOf } from './documented.ts'

/** Where help is shown. */
export interface HelpLayout {
  /** Cells of a line; infinite where no terminal shows it. */
  width: number
  heading: (text: string) => string
}

/** A part of the help of a command: its heading, and rows of a term with what it means. */
export interface HelpSection {
  heading: string
  rows: readonly (readonly [term: string, meaning: string])[]
}

/** Options that many commands have: shown after the command's own. */
const common = ['--config', '--data-dir', '--json', '--utc', '--local', '--help']

/** Without a terminal, help has lines of this many cells. */
const usualWidth = 80

/** `pilothouse deploy [options] [service] [release]`. */
export const usageOf = (command: Command): string =>
  [pathOf(command), command.commands.length > 0 ? '<command>' : command.usage()].join(' ').trimEnd()

/** Everything that is known of a command, in the order in which a person needs it. */
function sectionsOf(command: Command): HelpSection[] {
  const help = Object.assign(command.createHelp(), { showGlobalOptions: true })
  const commands = Map.groupBy(help.visibleCommands(command), (each) => each.helpGroup() || 'Commands')
  const options = help.visibleOptions(command)
  const isCommon = ({ long }: Option) => common.includes(long ?? '')
  const optionRows = (shown: readonly Option[]) =>
    shown.map((option) => [help.optionTerm(option), optionText(option)] as const)
  return [
    ...[...commands].map(([heading, shown]) => ({
      heading,
      rows: shown.map((each) => [each.name(), each.summary() || each.description()] as const),
    })),
    {
      heading: 'Arguments',
      rows: command.registeredArguments.map((each) => [help.argumentTerm(each), argumentText(each)] as const),
    },
    { heading: 'Options', rows: optionRows(options.filter((option) => !isCommon(option))) },
    {
      heading: 'Common options',
      rows: optionRows([...options, ...help.visibleGlobalOptions(command)].filter(isCommon)),
    },
  ].filter(({ rows }) => rows.length > 0)
}

const choicesText = (choices: readonly string[] | undefined) =>
  choices ? `: ${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}` : ''

const defaultText = (value: unknown) =>
  typeof value === 'number' || (typeof value === 'string' && value !== '') ? ` (default: ${value})` : ''

const optionText = ({ description, argChoices, defaultValue }: Option): string =>
  `${description}${choicesText(argChoices)}${defaultText(defaultValue)}`

const argumentText = ({ description, argChoices, defaultValue }: Argument): string =>
  `${description}${choicesText(argChoices)}${defaultText(defaultValue)}`

/** The help of a command for a terminal. `more` are sections of its own, `notes` paragraphs at its end. */
export function helpText(
  command: Command,
  layout: HelpLayout,
  { more = [], notes = [] }: { more?: readonly HelpSection[]; notes?: readonly string[] } = {},
): string {
  const width = Number.isFinite(layout.width) ? layout.width : usualWidth
  const examples = examplesOf(command).flatMap(({ line, effect }) => [
    fitted(`  ${line}\n`, width),
    fitted(`      ${effect}\n`, width),
  ])
  const section = ({ heading, rows }: HelpSection) =>
    `${layout.heading(heading)}\n${table([{}, { isProse: true }], rows, { width, indent: 2 })}`
  const paragraph = (text: string) => `${wrapped(text, width).join('\n')}\n`
  return [
    paragraph(`${command.description()}.`),
    `${layout.heading('Usage')}\n${fitted(`  ${usageOf(command)}\n`, width)}`,
    ...sectionsOf(command).map(section),
    ...(examples.length > 0 ? [`${layout.heading('Examples')}\n${examples.join('')}`] : []),
    ...more.map(section),
    ...notes.map(paragraph),
  ].join('\n')
}
