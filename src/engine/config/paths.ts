/**
 * The path of a setting as a person reads it: keys joined by dots, those in quotes that a dot or quote would make
 * ambiguous: `services."my.svc".listen.port`. Two paths never have the same text.
 */
export const pathText = (keys: readonly PropertyKey[]): string =>
  keys
    .map(String)
    .map((key) => (key === '' || /[."]/.test(key) ? JSON.stringify(key) : key))
    .join('.')

/** The keys of a path out of its text. */
export const keysIn = (text: string): string[] =>
  (text.match(/"(?:[^"\\]|\\.)*"|[^.]+/g) ?? []).map((key) =>
    key.startsWith('"') ? (JSON.parse(key) as string) : key,
  )

/** Whether a path is `outer`, or leads further into it. */
export const isWithin = (path: readonly PropertyKey[], outer: readonly PropertyKey[]): boolean =>
  outer.every((key, index) => String(key) === String(path[index]))
