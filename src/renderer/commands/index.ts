export * from './command-registry.svelte.ts'
export * from './key-sequences.ts'
