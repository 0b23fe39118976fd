/** What a key press means here; a subset of KeyboardEvent. */
export interface KeyPress {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
}

/** A second key must follow within this time. */
const patienceMs = 1200

/**
 * Recognises `mod+k`, `?`, and sequences like `g o`. Modifiers other than Shift make a key someone else's, except
 * where a sequence names `mod` (Ctrl, or Cmd on a Mac).
 */
export class KeySequences {
  #pressed: string[] = []
  #lastMs = -Infinity

  /** The sequence among `known` that this press completes, if any. */
  press(press: KeyPress, atMs: number, known: readonly string[]): string | undefined {
    const key = nameOf(press)
    if (key === undefined) {
      this.#pressed = []
      return undefined
    }
    if (atMs - this.#lastMs > patienceMs) this.#pressed = []
    this.#lastMs = atMs
    // What began a sequence that this key does not continue is forgotten; the key may begin another.
    for (const keys of [[...this.#pressed, key], [key]]) {
      const typed = keys.join(' ')
      if (known.includes(typed)) {
        this.#pressed = []
        return typed
      }
      if (known.some((sequence) => sequence.startsWith(`${typed} `))) {
        this.#pressed = keys
        return undefined
      }
    }
    this.#pressed = []
    return undefined
  }
}

function nameOf({ key, ctrlKey, metaKey, altKey }: KeyPress): string | undefined {
  if (altKey || key === 'Control' || key === 'Meta' || key === 'Shift' || key === 'Alt') return undefined
  const name = key.length === 1 ? key.toLowerCase() : key
  return ctrlKey || metaKey ? `mod+${name}` : name
}

/** Whether a key goes into a text, so that letters are not shortcuts there. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.tagName === 'TEXTAREA' || target.tagName === 'SELECT') return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)
}

/** The keys of a sequence as a person knows them: `mod+k` is `Ctrl K`, on a Mac `⌘ K`. */
export function keyLabels(sequence: string, isMac: boolean): string[] {
  return sequence
    .split(' ')
    .flatMap((key) => (key.startsWith('mod+') ? [isMac ? '⌘' : 'Ctrl', key.slice(4).toUpperCase()] : [key]))
}
