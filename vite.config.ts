import { svelte } from '@sveltejs/vite-plugin-svelte'
import { readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { defineConfig, type BuildEnvironmentOptions, type ViteBuilder } from 'vite'
import {
  licenseProblems,
  licensesText,
  packageDirectory,
  readPackage,
  withSuppliedText,
} from './build/third-party.mjs'

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

type Built = Awaited<ReturnType<ViteBuilder['build']>>

/** The packages of which something is in a bundle. */
function packagesIn(built: Built): string[] {
  const outputs = [built].flat().flatMap((each) => ('output' in each ? each.output : []))
  const modules = outputs.flatMap((output) =>
    output.type === 'chunk'
      ? // Styles and fonts are rendered elsewhere; of code, what was shaken out is not shipped.
        output.moduleIds.filter((id) => /\.css\b/.test(id) || (output.modules[id]?.renderedLength ?? 0) > 0)
      : [],
  )
  return modules.flatMap((id) => packageDirectory(id) ?? [])
}

/** Writes the licenses of all that ships. Throws where something must not be shipped. */
function writeLicenses(directories: readonly string[]): void {
  const packages = [...new Set([...directories, here('node_modules/better-sqlite3')])].map((directory) =>
    withSuppliedText(readPackage(directory), here('build/licenses')),
  )
  const problems = licenseProblems(packages)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  // Beside the bundles for the desktop app; in the headless one, which is shipped alone as well.
  for (const place of ['dist', 'dist/node'])
    writeFileSync(here(`${place}/THIRD_PARTY_LICENSES`), licensesText(packages))
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
      const packages: string[] = []
      for (const name of ['client', 'node', 'electron', 'preload']) {
        const environment = builder.environments[name]
        if (environment) packages.push(...packagesIn(await builder.build(environment)))
      }
      writeLicenses(packages)
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
        cli: here('src/hosts/cli/start.ts'),
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
