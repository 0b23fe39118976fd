import { untrack } from 'svelte'

/** One thing a person can go to or do. The palette, the key sheet and the keys are made from these. */
export interface Command {
  id: string
  title: string
  /** Heading in palette and key sheet. */
  group: 'Go to' | 'View' | 'Charts' | 'Help'
  /** Key sequence, e.g. `g o`, `?`, `mod+k`. */
  keys?: string
  /** Other words it is found by. */
  keywords?: string[]
  /** Also while a text field has the focus. */
  isEverywhere?: boolean
  run(): void
}

/** All commands that can be given at the moment; screens add theirs while they are mounted. */
export class CommandRegistry {
  #sets = $state.raw<readonly (readonly Command[])[]>([])
  #all = $derived(this.#sets.flat())

  get all(): readonly Command[] {
    return this.#all
  }

  /** Offers the commands until the result is called: `$effect(() => commands.add([...]))`. */
  add(commands: readonly Command[]): () => void {
    untrack(() => (this.#sets = [...this.#sets, commands]))
    return () => {
      this.#sets = this.#sets.filter((set) => set !== commands)
    }
  }

  /** The newest command with these keys: a screen's own goes before the frame's. */
  byKeys(keys: string): Command | undefined {
    return this.#all.findLast((command) => command.keys === keys)
  }
}
