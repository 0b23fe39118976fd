import type { Command } from 'commander'
import { exitCodeMeanings } from '../output.ts'
import { leavesOf, pathOf } from './documented.ts'
import { helpText } from './help-text.ts'

const preface = `# Command line

This page is written by \`pilothouse help --markdown\`, from the same table as \`--help\` and the completion of shells.

## Finding the engine

Commands find the running engine by its data directory: \`--data-dir\`, or the one of the configuration, or that of the
desktop app. \`PILOTHOUSE_URL\` and \`PILOTHOUSE_TOKEN\` name another one. \`pilothouse rollback\` and \`pilothouse edge\` work
without an engine.

## Exit codes

${exitCodeMeanings.map(([code, meaning]) => `- \`${code}\`: ${meaning}`).join('\n')}

## JSON

Every command that prints a result takes \`--json\` and writes one JSON document to standard output, with the field names of
the API. With \`--watch\` or \`--follow\` it writes one object per line. A failure is
\`{"error": {"code", "message", "action", "retryable", "details"}}\`; the exit code is the same as without \`--json\`. Sentences for
people go to standard error.

## Terminals

Output fits the terminal, or \`COLUMNS\`. Colors are off when the output is not a terminal, with \`NO_COLOR\` and with
\`TERM=dumb\`; \`FORCE_COLOR=1\` turns them on. Times are in the zone of \`display.timeZone\`;
\`--utc\` and \`--local\` choose another one.

## Completion

\`\`\`
pilothouse completion bash > ~/.local/share/bash-completion/completions/pilothouse
pilothouse completion zsh > "\${fpath[1]}/_pilothouse"
pilothouse completion fish > ~/.config/fish/completions/pilothouse.fish
\`\`\`
`

const layout = { width: 100, heading: (text: string) => text }

const chapter = (command: Command): string =>
  `### ${pathOf(command)}\n\n\`\`\`\n${helpText(command, layout)}\`\`\`\n`

/** The reference of all commands, as Markdown. */
export const referenceText = (program: Command): string =>
  [preface, '## Commands\n', ...leavesOf(program).map(chapter)].join('\n')
