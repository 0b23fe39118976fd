import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Its time limits are nets for what never comes: a loaded machine must not reach them. */
const project = (name: string, options: { timeoutMs?: number; maxWorkers?: number } = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeoutMs ?? 120_000,
    hookTimeout: options.timeoutMs ?? 120_000,
    ...(options.maxWorkers === undefined ? {} : { maxWorkers: options.maxWorkers }),
  },
})

export default defineConfig({
  plugins: [svelte()],
  resolve: {
    // In plain Node an import of electron would start a download.
    alias: { electron: fileURLToPath(new URL('./test/support/electron/index.ts', import.meta.url)) },
  },
  test: {
    environment: 'node',
    expect: { poll: { timeout: 60_000 } },
    projects: [
      project('unit'),
      project('contract'),
      project('sim', { timeoutMs: 900_000 }),
      // They wait more than they work, and each starts processes of its own.
      project('ports', { timeoutMs: 600_000, maxWorkers: 2 }),
    ],
  },
})
