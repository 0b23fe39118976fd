export * from './command-registry.svelte.ts'
export * from './find-commands.ts'
export * from './key-sequences.ts'
export * from './row-keys.ts'
