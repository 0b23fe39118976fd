import type { PaletteCommand } from './command-registry.svelte.ts'

/**
 * The commands that a typed text may mean, best first; all of them in their order for no text. Each word must begin
 * or stand inside a word of the title, the group or a keyword, or its letters must follow each other in the title, from the
 * beginning of a word on: `chk` finds checkout. Titles weigh most, beginnings more than insides, and shorter titles
 * come first among equals.
 */
export function findCommands(commands: readonly PaletteCommand[], text: string): PaletteCommand[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return commands
    .map((command) => ({ command, score: words.reduce((sum, word) => sum + scoreOf(command, word), 0) }))
    .filter(({ score }) => Number.isFinite(score))
    .sort(
      (a, b) => b.score - a.score || (words.length > 0 ? a.command.title.length - b.command.title.length : 0),
    )
    .map(({ command }) => command)
}

function scoreOf({ title, group, keywords = [] }: PaletteCommand, word: string): number {
  const name = title.toLowerCase()
  if (name.startsWith(word)) return 4
  if (wordsOf(name).some((part) => part.startsWith(word))) return 3
  if (name.includes(word)) return 2
  if ([group.toLowerCase(), ...keywords].some((other) => other.startsWith(word))) return 1
  return wordsOf(name).some((part) => isSpread(word, part)) ? 0.5 : -Infinity
}

/** Whether all letters of `word` stand in `text` in their order, the first of both being the same. */
function isSpread(word: string, text: string): boolean {
  if (word.length < 2 || word[0] !== text[0]) return false
  let at = 0
  for (const letter of text) if (letter === word[at]) at += 1
  return at === word.length
}

const wordsOf = (text: string) => text.split(/[^\p{L}\p{N}]+/u)
