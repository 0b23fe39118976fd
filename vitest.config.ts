import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const project = (name: string, options: { timeoutMs?: number; serial?: boolean } = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeoutMs ?? 10_000,
    fileParallelism: !options.serial,
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
    projects: [
      project('unit'),
      project('contract', { timeoutMs: 30_000 }),
      project('sim', { timeoutMs: 900_000 }),
      project('ports', { timeoutMs: 120_000, serial: true }),
    ],
  },
})
