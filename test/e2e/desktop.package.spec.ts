import { extractAll, listPackage } from '@electron/asar'
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { makeStandInDist } from '../support/electron/stand-in-dist.ts'
import { expect, isLive, test } from './shells/desktop-test.ts'
import { shellKind } from './shells/shell.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const builder = createRequire(import.meta.url).resolve('electron-builder/cli.js')

/**
 * Runs the packager as `npm run package` does, up to the folder that the installers are made of. Electron itself is
 * a stand-in: what is shown here is what would be packed, not that Electron starts it.
 */
async function pack(directory: string): Promise<{ folderOf: (arch: 'x64' | 'arm64') => string }> {
  const electronDist = join(directory, 'electron-dist')
  const output = join(directory, 'release')
  await makeStandInDist(electronDist)
  await promisify(execFile)(
    process.execPath,
    [
      builder,
      '--config',
      'build/electron-builder.yml',
      '--linux',
      'dir',
      '--x64',
      '--arm64',
      '--publish',
      'never',
      `-c.electronDist=${electronDist}`,
      `-c.directories.output=${output}`,
    ],
    { cwd: root },
  )
  return { folderOf: (arch) => join(output, arch === 'x64' ? 'linux-unpacked' : `linux-${arch}-unpacked`) }
}

/** Files below `folder`, with forward slashes. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )

test.describe('the package', () => {
  test.skip(shellKind === 'electron', 'does not depend on the shell that runs it')
  test.slow()

  test('holds the program and its one native module, nothing of the workshop, and starts', async ({
    directory,
    start,
  }) => {
    const { folderOf } = await pack(directory)
    const resources = join(folderOf('x64'), 'resources')
    const archive = join(resources, 'app.asar')
    const program = join(directory, 'program')
    extractAll(archive, program)
    const files = filesIn(program)

    await test.step('only what runs is in it', () => {
      const known =
        /^(package\.json|LICENSE|dist\/node\/THIRD_PARTY_LICENSES|dist\/(electron|node|renderer)\/.+\.(js|cjs|html|css|svg|woff2)|node_modules\/better-sqlite3\/(package\.json|LICENSE|lib\/.+\.js|prebuilds\/linux-x64\.node))$/
      expect(files.filter((file) => !known.test(file))).toEqual([])
      expect(files.filter((file) => /(^|\/)tests?\/|\.(test|spec)\.|\.map$|\.ts$/.test(file))).toEqual([])
      for (const needed of [
        'dist/electron/main.js',
        'dist/electron/preload.cjs',
        'dist/node/engine-process.js',
        'dist/node/telemetry-worker.js',
        'dist/node/report-worker.js',
        'dist/renderer/index.html',
      ]) {
        expect(files).toContain(needed)
      }
    })

    await test.step('the licenses of all that is in it, outside the archive too', () => {
      const text = readFileSync(join(resources, 'THIRD_PARTY_LICENSES'), 'utf8')
      for (const name of [
        'better-sqlite3',
        'fastify',
        'svelte',
        'electron-updater',
        '@fontsource-variable/inter',
      ])
        expect(text).toMatch(new RegExp(`^${name} [\\d.]+ \\(`, 'm'))
      expect(files).toContain('dist/node/THIRD_PARTY_LICENSES')
      expect(readdirSync(resources)).toContain('LICENSE')
    })

    await test.step('of SQLite the build of its own platform, outside the archive', () => {
      const loose = filesIn(join(resources, 'app.asar.unpacked'))
      expect(loose).toEqual(['node_modules/better-sqlite3/prebuilds/linux-x64.node'])
      const other = listPackage(join(folderOf('arm64'), 'resources', 'app.asar'), { isPack: false })
      expect(other.filter((file) => file.endsWith('.node'))).toEqual([
        '/node_modules/better-sqlite3/prebuilds/linux-arm64.node',
      ])
    })

    await test.step('no scripts and no dependencies of the workshop in its package.json', () => {
      const { main, dependencies, ...rest } = JSON.parse(
        readFileSync(join(program, 'package.json'), 'utf8'),
      ) as Record<string, unknown>
      expect(main).toBe('dist/electron/main.js')
      expect(Object.keys(dependencies as object)).toEqual(['better-sqlite3'])
      expect(rest).not.toHaveProperty('devDependencies')
      expect(rest).not.toHaveProperty('scripts')
    })

    await test.step('the fuses are flipped in its binary', async () => {
      const fuses = await getCurrentFuseWire(join(folderOf('x64'), 'pilothouse'))
      const isOn = (fuse: FuseV1Options) => fuses[fuse] === FuseState.ENABLE
      expect({
        runAsNode: isOn(FuseV1Options.RunAsNode),
        cookieEncryption: isOn(FuseV1Options.EnableCookieEncryption),
        nodeOptions: isOn(FuseV1Options.EnableNodeOptionsEnvironmentVariable),
        nodeInspect: isOn(FuseV1Options.EnableNodeCliInspectArguments),
        asarIntegrity: isOn(FuseV1Options.EnableEmbeddedAsarIntegrityValidation),
        onlyFromAsar: isOn(FuseV1Options.OnlyLoadAppFromAsar),
        filePrivileges: isOn(FuseV1Options.GrantFileProtocolExtraPrivileges),
      }).toEqual({
        runAsNode: false,
        cookieEncryption: true,
        nodeOptions: false,
        nodeInspect: false,
        asarIntegrity: true,
        onlyFromAsar: true,
        filePrivileges: false,
      })
    })

    await test.step('it names no source of updates', () => {
      expect(readdirSync(resources)).not.toContain('app-update.yml')
    })

    await test.step('nothing is missing: it runs from its own files alone', async () => {
      const desktop = await start({ program })
      await isLive(desktop)
    })
  })
})
