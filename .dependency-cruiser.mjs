import { globSync } from 'node:fs'
import { dirname } from 'node:path'

/** The arrows of ARCHITECTURE.md: base <- contract <- engine <- adapters <- hosts, electron; contract <- renderer. */
const layers = {
  base: ['base'],
  contract: ['base', 'contract'],
  engine: ['base', 'contract', 'engine'],
  adapters: ['base', 'contract', 'engine', 'adapters'],
  edge: ['base', 'contract', 'edge'],
  hosts: ['base', 'contract', 'engine', 'adapters', 'edge', 'hosts'],
  renderer: ['base', 'contract', 'renderer'],
  demo: ['base', 'contract', 'demo'],
}

/** Products the engine must not know by name: they belong in adapters, the shell and the screens. */
const vendors = [
  '@fastify/[^/]+',
  '@kubernetes/[^/]+',
  'better-sqlite3',
  'chart\\.js',
  'commander',
  'dockerode',
  'electron',
  'electron-updater',
  'fastify',
  'kysely',
  'nodemailer',
  'pg',
  'pino',
  'prom-client',
  'svelte',
  'systeminformation',
  'undici',
  'ws',
]

/** Folders with a public face, the engine's aside, which has rules of its own. */
const faces = globSync('src/**/index.ts')
  .map((file) => dirname(file).replaceAll('\\', '/'))
  .filter((folder) => !folder.startsWith('src/engine'))
  .sort()

/** @param {string} path */
const escaped = (path) => path.replaceAll('.', '\\.')

export default {
  forbidden: [
    ...Object.entries(layers).map(([from, allowed]) => ({
      name: `layer-${from}`,
      comment: `src/${from} may import only ${allowed.join(', ')} of ours: see ARCHITECTURE.md, the arrows.`,
      severity: 'error',
      from: { path: `^src/${from}/` },
      to: { path: '^(src|electron|test|build)/', pathNot: `^src/(${allowed.join('|')})/` },
    })),
    {
      name: 'layer-electron',
      comment: 'electron/ is the shell: it knows the contract and the composition roots, nothing below them.',
      severity: 'error',
      from: { path: '^electron/' },
      to: { path: '^(src|test|build)/', pathNot: '^src/(base|contract|hosts)/' },
    },
    {
      name: 'engine-is-pure',
      comment: 'The engine reaches the outside only through its ports: no file, socket or process.',
      severity: 'error',
      from: { path: '^src/(base|engine|contract)/' },
      to: {
        dependencyTypes: ['core'],
        pathNot: '^(node:)?(async_hooks|timers|crypto|zlib|perf_hooks|path)$',
      },
    },
    {
      name: 'no-vendor-in-the-engine',
      comment: 'Names of products stay in adapters.',
      severity: 'error',
      from: { path: '^src/(base|engine|contract)/' },
      to: { path: `(^|node_modules/)(@types/)?(${vendors.join('|')})(/|$)`, pathNot: '^(src|electron)/' },
    },
    {
      name: 'electron-only-in-the-shell',
      comment: 'Importing electron in plain Node starts a download.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '(^|node_modules/)electron(/|$)', pathNot: '^electron/' },
    },
    {
      name: 'through-the-public-face',
      comment: 'A folder of the engine is entered through its index.ts.',
      severity: 'error',
      from: { path: '^src/engine/([^/]+)/' },
      to: { path: '^src/engine/([^/]+)/', pathNot: ['^src/engine/$1/', '^src/engine/[^/]+/index\\.ts$'] },
    },
    {
      name: 'the-engine-from-outside',
      comment: 'Adapters, hosts and the shell enter a folder of the engine through its index.ts.',
      severity: 'error',
      from: { path: '^(src|electron)/', pathNot: '^src/engine/' },
      to: { path: '^src/engine/[^/]+/', pathNot: '^src/engine/[^/]+/index\\.ts$' },
    },
    ...faces.map((folder) => ({
      name: 'through-the-face',
      comment: `${folder} is entered through its index.ts.`,
      severity: 'error',
      from: { path: '^(src|electron)/', pathNot: `^${escaped(folder)}/` },
      to: { path: `^${escaped(folder)}/`, pathNot: `^${escaped(folder)}/index\\.ts$` },
    })),
    {
      name: 'no-circle-of-folders',
      comment: 'A folder of the edge gets what is above it as a parameter or an interface.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/edge/' },
      to: { circular: true },
    },
    {
      name: 'screens-stand-alone',
      comment: 'A screen imports no other screen: what several of them share belongs in src/renderer/domain.',
      severity: 'error',
      from: { path: '^src/renderer/screens/([^/]+)/' },
      to: { path: '^src/renderer/screens/[^/]+/', pathNot: '^src/renderer/screens/$1/' },
    },
    {
      name: 'below-the-screens',
      comment: 'What screens are built from knows no screen.',
      severity: 'error',
      from: { path: '^src/renderer/', pathNot: '^src/renderer/(screens/|[^/]+$)' },
      to: { path: '^src/renderer/screens/' },
    },
    {
      name: 'bootstrap-stands-alone',
      comment: 'The bootstrap runs before anything is installed: Node itself is all there is.',
      severity: 'error',
      from: { path: '^build/(bootstrap/|(start|test|build)\\.mjs$)' },
      to: { dependencyTypesNot: ['core'], pathNot: '^build/' },
    },
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one, or need a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'An import that leads nowhere breaks when it is reached.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^electron$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|release)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.svelte.ts', '.svelte', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'svelte', 'node', 'default', 'types'],
    },
  },
}
