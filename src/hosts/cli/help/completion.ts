import { AppError } from '../../../base/index.ts'
import type { Argument, Option } from 'commander'
import { type Command } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** What may follow the words of a command, and which of its options need a word after them. */
interface Place {
  /** Words that lead to the command: empty, `deployments`, `deployments list`. */
  path: string
  words: readonly string[]
  /** What may follow an option; empty for any text, which shells take for a file. */
  values: Readonly<Record<string, readonly string[]>>
}

const flagsOf = ({ short, long }: Option): string[] => [short, long].filter((flag) => flag !== undefined)

/** All places of a command line, from its tree of commands. */
function placesIn(command: Command, path: readonly string[] = []): Place[] {
  const help = Object.assign(command.createHelp(), { showGlobalOptions: true })
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
  const withValue = options.filter((option) => option.required || option.optional)
  const place = {
    path: path.join(' '),
    words: [
      ...command.commands.map((each) => each.name()),
      ...command.registeredArguments.flatMap(({ argChoices = [] }: Argument) => argChoices),
      ...options.flatMap(({ long }) => long ?? []),
    ],
    values: Object.fromEntries(
      withValue.flatMap((option) => flagsOf(option).map((flag) => [flag, option.argChoices ?? []] as const)),
    ),
  }
  return [place, ...command.commands.flatMap((each) => placesIn(each, [...path, each.name()]))]
}

/** A script that completes the command line in a shell. Names are plain words, so that nothing needs quotes. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesIn(program)
  const strange = places.flatMap(({ words }) => words).find((word) => !/^[\w-]+$/.test(word))
  if (strange !== undefined) throw new AppError('INTERNAL', `${strange} cannot be completed in a shell.`)
  switch (shell) {
    case 'bash':
      return bash(places)
    case 'zsh':
      return zsh(places)
    case 'fish':
      return fish(places)
  }
}

/** `case` branches of bash and zsh that find the command among the words before the cursor. */
const descent = (places: readonly Place[]) => {
  const commands = places.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`)
  return `    case "$at\${at:+ }$word" in
      ${commands.join('|')}) at="$at\${at:+ }$word" ;;
    esac`
}

/** `case` branches that set \`words\` for the command, or for the option before the cursor. */
const branches = (places: readonly Place[]) => {
  const values = places.flatMap(({ path, values: of }) =>
    Object.entries(of).map(([flag, choices]) => `    "${path}:${flag}") words="${choices.join(' ')}" ;;`),
  )
  const words = places.map(({ path, words: of }) => `    "${path}:"*) words="${of.join(' ')}" ;;`)
  return [...values, ...words].join('\n')
}

const bash = (places: readonly Place[]) => `# bash completion for pilothouse
_pilothouse() {
  local at="" word words=""
  local before="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${descent(places)}
  done
  case "$at:$before" in
${branches(places)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _pilothouse pilothouse
`

const zsh = (places: readonly Place[]) => `#compdef pilothouse
# zsh completion for pilothouse
_pilothouse() {
  local at="" word="" words_here=""
  local before="\${words[CURRENT-1]}"
  for word in "\${(@)words[2,CURRENT-1]}"; do
${descent(places)}
  done
  case "$at:$before" in
${branches(places).replaceAll(' words="', ' words_here="')}
  esac
  if [[ -n "$words_here" ]]; then compadd -- \${=words_here}; else _files; fi
}
if [[ "$funcstack[1]" = _pilothouse ]]; then _pilothouse "$@"; else compdef _pilothouse pilothouse; fi
`

const fish = (places: readonly Place[]) => {
  const commands = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`)
  const values = places.flatMap(({ path, values: of }) =>
    Object.entries(of).map(([flag, choices]) =>
      choices.length > 0
        ? `    case '${path}:${flag}'\n      printf '%s\\n' ${choices.join(' ')}`
        : `    case '${path}:${flag}'\n      __fish_complete_path (commandline -ct)`,
    ),
  )
  const words = places.map(
    ({ path, words: of }) => `    case '${path}:*'\n      printf '%s\\n' ${of.join(' ')}`,
  )
  return `# fish completion for pilothouse
function __pilothouse_words
  set -l at ''
  set -l tokens (commandline -opc)
  for word in $tokens[2..]
    set -l next (string trim "$at $word")
    if contains -- $next ${commands.join(' ')}
      set at $next
    end
  end
  switch "$at:$tokens[-1]"
${[...values, ...words].join('\n')}
  end
end
complete -c pilothouse -f -a '(__pilothouse_words)'
`
}
