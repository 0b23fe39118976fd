import type { Command } from './command-registry.svelte.ts'

/**
 * The commands that a typed text may mean, best first; all of them in their order for no text. Each word must begin
 * or stand inside a word of the title, the group or a keyword; titles weigh most, beginnings more than insides.
 */
export function findCommands(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return commands
    .map((command) => ({ command, score: words.reduce((sum, word) => sum + scoreOf(command, word), 0) }))
    .filter(({ score }) => Number.isFinite(score))
    .sort((a, b) => b.score - a.score)
    .map(({ command }) => command)
}

function scoreOf({ title, group, keywords = [] }: Command, word: string): number {
  const name = title.toLowerCase()
  if (name.startsWith(word)) return 4
  if (wordsOf(name).some((part) => part.startsWith(word))) return 3
  if (name.includes(word)) return 2
  return [group.toLowerCase(), ...keywords].some((other) => other.startsWith(word)) ? 1 : -Infinity
}

const wordsOf = (text: string) => text.split(/[^\p{L}\p{N}]+/u)
