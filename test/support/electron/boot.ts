// Runs a desktop app's main process on the double: node boot.ts MAIN [ARGUMENTS]. Forked by the window server.
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

const double = new URL('./index.ts', import.meta.url).href

// Whatever imports or requires electron gets the double: the real package would start a download.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: double, shortCircuit: true } : next(specifier, context),
})

const [node = '', , main = '', ...args] = process.argv
process.argv = [node, main, ...args]
Object.assign(process, { type: 'browser', resourcesPath: import.meta.dirname })

const electron = await import('./index.ts')
const { parentPeer } = await import('./parent.ts')

parentPeer?.on('evaluate', (source: string, argument: unknown) => {
  // Indirect: the function sees the global scope only, as one sent to Electron does.
  const run = (0, eval)(`(${source})`) as (module: typeof electron, argument: unknown) => unknown
  return run(electron, argument)
})

await import(pathToFileURL(main).href)
electron.app.becomeReady()
