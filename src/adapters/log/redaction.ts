/** Keys whose values are never written, whatever they hold: `password`, `apiKey`, `set-cookie`, `authToken`. */
const secretKey =
  /password|passwd|passphrase|secret|token$|authorization|cookie|credential|(api|access|private|signing|encryption)[-_ ]?key/i
const secretWord = /(^|[-_. ])(pass|pwd|auth|token)([-_. ]|$)/i

/** Figures about secrets are none. */
const harmlessKey = /(count|length|tokens)$/i

const hidden = '[redacted]'
const shortestSecret = 4
const longestText = 8192
const deepest = 6
const mostItems = 100

export const isSecretKey = (key: string): boolean =>
  (secretKey.test(key) || secretWord.test(key)) && !harmlessKey.test(key)

const names = '(?:password|passwd|secret|token|api[-_]?key|access[-_]?key'

/**
 * Shapes of secrets in running text, each with what may stay. Every repetition is bounded or begins at a boundary,
 * so that hostile text costs no more than its length.
 */
const shapes: [RegExp, string][] = [
  // scheme://user:password@host
  [/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#@"']{1,400}@/gi, `$1${hidden}@`],
  // ?token=... in an address
  [
    new RegExp(`([?&#;][\\w.-]{0,40}${names}|signature|sig|auth|code|session)=)[^&#\\s"']+`, 'gi'),
    `$1${hidden}`,
  ],
  [/\b(Bearer|Basic|Digest)\s{1,5}[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  // password: ... in a command line, a header or JSON
  [
    new RegExp(
      `((?<![^\\s"'{,;])["-]{0,2}[\\w-]{0,40}${names}|authorization|cookie)"?\\s{0,5}[:=]\\s{0,5})` +
        `(?:"[^"]*"|'[^']*'|[^\\s,;&}\\]]+)`,
      'gi',
    ),
    `$1${hidden}`,
  ],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, hidden],
  // a JSON web token
  [/\beyJ[\w-]{8,4000}\.[\w-]{8,4000}\.[\w-]*/g, hidden],
]

/**
 * Takes secrets out of what is logged: values of keys that name a secret, known secrets wherever they appear, and
 * what looks like one in a text or address. Rather one word too many than one too few.
 */
export class Redactor {
  #known: string[] = []

  /** From now on this value is hidden wherever it appears, as it is and as written in an address or in JSON. */
  add(secret: string): void {
    if (secret.length < shortestSecret) return
    const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]
    // Longest first, so that a secret which begins with another is hidden whole.
    this.#known = [...new Set([...this.#known, ...forms])].sort((a, b) => b.length - a.length)
  }

  text(text: string): string {
    // Cut after hiding: a cut could leave the half of a secret that no longer looks like one.
    const known = this.#known.reduce(
      (left, secret) => left.replaceAll(secret, hidden),
      text.slice(0, 2 * longestText),
    )
    const shaped = shapes.reduce((left, [shape, kept]) => left.replace(shape, kept), known)
    return shaped.length > longestText
      ? `${shaped.slice(0, longestText)}… (${text.length} characters)`
      : shaped
  }

  /** A copy fit for JSON: without secrets, loops, functions, and bounded in depth, length and text. */
  data(value: unknown): unknown {
    return this.#copy(value, 0, [])
  }

  #copy(value: unknown, depth: number, above: readonly object[]): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value === 'bigint') return String(value)
    if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
    if (typeof value !== 'object' || value === null) return value
    if (above.includes(value)) return '[circular]'
    if (depth >= deepest) return '[deeper]'
    const inside = [...above, value]
    const copy = (item: unknown) => this.#copy(item, depth + 1, inside)
    if (value instanceof Error) return this.#error(value, copy)
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
    if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`
    if (value instanceof Map)
      return this.#record(
        [...value].map(([key, item]) => [String(key), item]),
        copy,
      )
    if (Array.isArray(value) || value instanceof Set) {
      const items = [...value] as unknown[]
      const rest = items.length > mostItems ? [`… ${items.length - mostItems} more`] : []
      return [...items.slice(0, mostItems).map(copy), ...rest]
    }
    return this.#record(Object.entries(value), copy)
  }

  #record(entries: [string, unknown][], copy: (item: unknown) => unknown): Record<string, unknown> {
    return Object.fromEntries(
      entries
        .slice(0, mostItems)
        .map(([key, item]) => [
          this.text(key),
          typeof item !== 'boolean' && isSecretKey(key) ? hidden : copy(item),
        ]),
    )
  }

  /** Name, code and message, the stack, the cause: what it takes to find the place. */
  #error(error: Error, copy: (item: unknown) => unknown): Record<string, unknown> {
    const { code, details } = error as { code?: unknown; details?: unknown }
    return {
      name: error.name,
      ...(code === undefined ? {} : { code: copy(code) }),
      message: this.text(error.message),
      ...(details === undefined ? {} : { details: copy(details) }),
      stack: this.text(error.stack ?? ''),
      ...(error.cause === undefined ? {} : { cause: copy(error.cause) }),
    }
  }
}
