/** Where a value comes from. Lines and columns count from 1. */
export type ValueOrigin =
  | { kind: 'file'; file: string; line: number; column: number; length: number }
  | { kind: 'environment'; name: string }
  | { kind: 'flag'; name: string }
  | { kind: 'default' }

/** Where a value comes from: `file pilothouse.yaml:3:9`, `environment PILOTHOUSE_…`, `flag --port`, `default`. */
export function wordsForOrigin(origin: ValueOrigin): string {
  switch (origin.kind) {
    case 'file':
      return `file ${origin.file}:${origin.line}:${origin.column}`
    case 'environment':
    case 'flag':
      return `${origin.kind} ${origin.name}`
    case 'default':
      return 'default'
  }
}

/** A config as written, each part with its origin. */
export type ConfigNode =
  | {
      kind: 'section'
      entries: Map<string, { keyOrigin: ValueOrigin; node: ConfigNode }>
      origin: ValueOrigin
    }
  | { kind: 'list'; items: ConfigNode[]; origin: ValueOrigin }
  | {
      kind: 'value'
      value: string | number | boolean | bigint | null
      /** As it stands in the file, where the notation makes something other than text of it: `1.10`, `0x1F`. */
      source?: string
      origin: ValueOrigin
    }

export type Section = Extract<ConfigNode, { kind: 'section' }>

export const emptySection = (): Section => ({
  kind: 'section',
  entries: new Map(),
  origin: { kind: 'default' },
})

/** Plain data for a schema to parse. */
export function plainOf(node: ConfigNode): unknown {
  switch (node.kind) {
    case 'section':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainOf(entry.node)]))
    case 'list':
      return node.items.map(plainOf)
    case 'value':
      return node.value
  }
}

function childOf(node: ConfigNode, key: PropertyKey): ConfigNode | undefined {
  if (node.kind === 'section') return node.entries.get(String(key))?.node
  if (node.kind === 'list') return node.items[Number(key)]
  return undefined
}

/** The node at `path`, or undefined. */
export function nodeAt(root: ConfigNode, path: readonly PropertyKey[]): ConfigNode | undefined {
  return path.reduce<ConfigNode | undefined>((node, key) => node && childOf(node, key), root)
}

/** The origin of the value at `path`, or of the nearest part above it that was written. */
export function originAt(root: ConfigNode, path: readonly PropertyKey[]): ValueOrigin {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(root, path.slice(0, length))
    if (node) return node.origin
  }
  return root.origin
}

/** The origin of a key itself, where the mistake is the key and not its value. */
export function keyOriginAt(root: ConfigNode, path: readonly PropertyKey[]): ValueOrigin {
  const parent = nodeAt(root, path.slice(0, -1))
  const entry = parent?.kind === 'section' ? parent.entries.get(String(path.at(-1))) : undefined
  return entry?.keyOrigin ?? originAt(root, path)
}

/** `root` without what stands at `path`; the rest is shared. */
export function without(root: Section, path: readonly PropertyKey[]): Section {
  const [first, ...rest] = path
  const entry = root.entries.get(String(first))
  if (!entry) return root
  const entries = new Map(root.entries)
  if (rest.length > 0 && entry.node.kind === 'section') {
    entries.set(String(first), { ...entry, node: without(entry.node, rest) })
  } else {
    entries.delete(String(first))
  }
  return { ...root, entries }
}

/** `root` with `node` at `path`; sections on the way are made, and have its origin. */
export function withNode(root: Section, path: readonly string[], node: ConfigNode): Section {
  const [first, ...rest] = path
  if (first === undefined) return root
  const entries = new Map(root.entries)
  const there = entries.get(first)
  const inner = there?.node.kind === 'section' ? there.node : { ...emptySection(), origin: node.origin }
  entries.set(first, {
    keyOrigin: there?.keyOrigin ?? node.origin,
    node: rest.length === 0 ? node : withNode(inner, rest, node),
  })
  return { ...root, entries }
}

/** What holds when `over` is laid upon `base`: sections are merged, all else is replaced. */
export function merge(
  base: Section,
  over: Section,
  isWhole: (path: string[]) => boolean,
  at: string[] = [],
): Section {
  const entries = new Map(base.entries)
  for (const [key, entry] of over.entries) {
    const below = entries.get(key)?.node
    const path = [...at, key]
    if (below?.kind === 'section' && entry.node.kind === 'section' && !isWhole(path)) {
      entries.set(key, { ...entry, node: merge(below, entry.node, isWhole, path) })
    } else {
      entries.set(key, entry)
    }
  }
  return { ...base, entries, origin: base.entries.size > 0 ? base.origin : over.origin }
}
