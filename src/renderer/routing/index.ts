export * from './router.svelte.ts'
export * from './views.ts'
