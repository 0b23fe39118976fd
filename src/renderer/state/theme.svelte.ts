export const themeChoices = ['system', 'dark', 'light'] as const
export type ThemeChoice = (typeof themeChoices)[number]

const storageKey = 'pilothouse.theme'

/** Light or dark: the system's unless the person chose; the choice is kept in this browser. */
export class Theme implements Disposable {
  #system = matchMedia('(prefers-color-scheme: light)')
  #choice = $state<ThemeChoice>(stored())
  #isSystemLight = $state(this.#system.matches)
  #shown = $derived<'dark' | 'light'>(
    this.#choice === 'system' ? (this.#isSystemLight ? 'light' : 'dark') : this.#choice,
  )
  #turned = () => {
    this.#isSystemLight = this.#system.matches
    this.#apply()
  }

  constructor() {
    this.#system.addEventListener('change', this.#turned)
    this.#apply()
  }

  get choice(): ThemeChoice {
    return this.#choice
  }
  get shown(): 'dark' | 'light' {
    return this.#shown
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice
    try {
      localStorage.setItem(storageKey, choice)
    } catch {
      // Storage may be forbidden; the choice then holds as long as the page.
    }
    this.#apply()
  }

  /** The next of system, dark, light. */
  turn(): void {
    const at = themeChoices.indexOf(this.#choice)
    this.choose(themeChoices[(at + 1) % themeChoices.length] ?? 'system')
  }

  [Symbol.dispose](): void {
    this.#system.removeEventListener('change', this.#turned)
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.#shown
  }
}

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(storageKey)
    return themeChoices.find((choice) => choice === value) ?? 'system'
  } catch {
    return 'system'
  }
}
