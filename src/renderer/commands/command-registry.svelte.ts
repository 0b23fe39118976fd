/** One thing a person can go to or do. The palette, the key sheet and the keys are made from these. */
export interface PaletteCommand {
  id: string
  title: string
  /** Heading in palette and key sheet. */
  group: 'Go to' | 'Actions' | 'View' | 'Charts' | 'Help'
  /** Key sequence, e.g. `g o`, `?`, `mod+k`. */
  keys?: string
  /** Other words it is found by. */
  keywords?: string[]
  /** Also while a text field has the focus, and over an open window. */
  isEverywhere?: boolean
  run(): void
}

/** All commands that can be given at the moment; screens add theirs while they are mounted. */
export class CommandRegistry {
  // A clean-up of an effect reads state as it was before the present change: what was added meanwhile would be lost.
  #kept: readonly (readonly PaletteCommand[])[] = []
  #sets = $state.raw<readonly (readonly PaletteCommand[])[]>([])
  #all = $derived(this.#sets.flat())

  get all(): readonly PaletteCommand[] {
    return this.#all
  }

  /** Offers the commands until the result is called: `$effect(() => commands.add([...]))`. */
  add(commands: readonly PaletteCommand[]): () => void {
    this.#keep([...this.#kept, commands])
    return () => this.#keep(this.#kept.filter((set) => set !== commands))
  }

  /** The newest command with these keys: a screen's own goes before the frame's. */
  byKeys(keys: string): PaletteCommand | undefined {
    return this.#all.findLast((command) => command.keys === keys)
  }

  #keep(sets: readonly (readonly PaletteCommand[])[]): void {
    this.#kept = sets
    this.#sets = sets
  }
}
