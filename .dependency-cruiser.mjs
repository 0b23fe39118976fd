/** The arrows of ARCHITECTURE.md: contract <- engine <- adapters <- hosts, electron; contract <- renderer. */
const layers = {
  contract: ['contract'],
  engine: ['contract', 'engine'],
  adapters: ['contract', 'engine', 'adapters'],
  edge: ['contract', 'edge'],
  hosts: ['contract', 'engine', 'adapters', 'edge', 'hosts'],
  renderer: ['contract', 'renderer'],
}

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
      to: { path: '^(src|test|build)/', pathNot: '^src/(contract|hosts)/' },
    },
    {
      name: 'engine-is-pure',
      comment: 'The engine reaches the outside only through its ports: no file, socket, process or vendor.',
      severity: 'error',
      from: { path: '^src/(engine|contract)/' },
      to: {
        dependencyTypes: ['core'],
        pathNot: '^(node:)?(async_hooks|timers|crypto|zlib|perf_hooks|path)$',
      },
    },
    {
      name: 'no-vendor-in-the-engine',
      comment: 'Names of products stay in adapters.',
      severity: 'error',
      from: { path: '^src/(engine|contract)/' },
      to: { path: 'node_modules/(electron|svelte|fastify|better-sqlite3|kysely|undici|systeminformation)/' },
    },
    {
      name: 'electron-only-in-the-shell',
      comment: 'Importing electron in plain Node starts a download.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '(^|/)electron/' , pathNot: '^electron/' },
    },
    {
      name: 'through-the-public-face',
      comment: "A folder of the engine is entered through its index.ts; ports of adapters likewise.",
      severity: 'error',
      from: { path: '^src/engine/([^/]+)/' },
      to: { path: '^src/engine/([^/]+)/', pathNot: ['^src/engine/$1/', '^src/engine/[^/]+/index\\.ts$'] },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^electron$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|release)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.svelte.ts', '.svelte', '.js', '.mjs', '.json'], conditionNames: ['import', 'svelte', 'node', 'default', 'types'] },
  },
}
