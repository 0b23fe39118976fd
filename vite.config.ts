import { svelte } from '@sveltejs/vite-plugin-svelte'
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { defineConfig, type BuildEnvironmentOptions } from 'vite'

const { version } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

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
  copyPublicDir: false,
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

const plainPreload = nodeBuild('../../dist/electron', { preload: here('electron/preload.ts') }, 'cjs')

/** A sandboxed preload cannot be a module, and takes of the contract what it names: whole, that is a megabyte. */
const preloadBuild: BuildEnvironmentOptions = {
  ...plainPreload,
  emptyOutDir: false,
  rolldownOptions: { ...plainPreload.rolldownOptions, treeshake: { moduleSideEffects: false } },
}

// One `vite build` makes everything that ships: screens, headless host and workers, desktop shell and its preload.
export default defineConfig({
  plugins: [svelte({ configFile: here('svelte.config.mjs') })],
  define: { __PILOTHOUSE_VERSION__: JSON.stringify(version) },
  root: 'src/renderer',
  // Views have addresses of several parts, so that what they load must be named from the root.
  base: '/',
  publicDir: 'public',
  builder: {
    buildApp: async (builder) => {
      for (const name of ['client', 'node', 'electron', 'preload']) {
        const environment = builder.environments[name]
        if (environment) await builder.build(environment)
      }
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
        cli: here('src/hosts/cli/index.ts'),
        'telemetry-worker': here('src/adapters/stores/telemetry/worker.ts'),
        'report-worker': here('src/adapters/checks/report-worker.ts'),
        edge: here('src/hosts/edge/main.ts'),
        shop: here('src/demo/shop/main.ts'),
        'engine-process': here('src/hosts/engine-process/main.ts'),
      }),
    },
    electron: {
      resolve: { noExternal: true },
      build: nodeBuild('../../dist/electron', { main: here('electron/main.ts') }),
    },
    preload: {
      resolve: { noExternal: true },
      build: preloadBuild,
    },
  },
})
