import { svelte } from '@sveltejs/vite-plugin-svelte'
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { defineConfig, type BuildEnvironmentOptions } from 'vite'

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** What a bundle leaves to the runtime: Node itself, Electron, and the one native module. */
const external = [/^node:/, ...builtinModules, 'electron', 'better-sqlite3']

const nodeBuild = (
  outDir: string,
  input: Record<string, string>,
  format: 'es' | 'cjs' = 'es',
): BuildEnvironmentOptions => ({
  outDir,
  emptyOutDir: true,
  ssr: true,
  target: 'node24',
  minify: false,
  sourcemap: true,
  rolldownOptions: {
    input,
    external,
    output: {
      format,
      entryFileNames: format === 'cjs' ? '[name].cjs' : '[name].js',
      chunkFileNames: 'chunks/[name]-[hash].js',
    },
  },
})

// One `vite build` makes everything that ships: screens, headless host and workers, desktop shell and its preload.
export default defineConfig({
  plugins: [svelte()],
  define: { __PILOTHOUSE_VERSION__: JSON.stringify(version) },
  root: 'src/renderer',
  // Views have addresses of several parts, so that what they load must be named from the root.
  base: '/',
  publicDir: 'public',
  builder: {
    buildApp: async (builder) => {
      for (const environment of Object.values(builder.environments)) await builder.build(environment)
    },
  },
  environments: {
    client: {
      build: {
        outDir: '../../dist/renderer',
        emptyOutDir: true,
        target: 'chrome140',
        sourcemap: true,
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
      },
    },
    node: {
      resolve: { noExternal: true },
      build: nodeBuild('../../dist/node', {
        cli: 'src/hosts/cli/index.ts',
        'telemetry-worker': 'src/adapters/stores/telemetry/worker.ts',
      }),
    },
  },
})
