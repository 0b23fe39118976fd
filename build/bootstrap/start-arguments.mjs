export const startHelp = `npm start -- [options] [options of pilothouse serve]

  --desktop     ask for the desktop app even where the headless one would be chosen
  --headless    open the headless app
  --demo        open a small shop to ship good and faulty releases of, headless
  --help        show this

Everything else goes to the app, for example: npm start -- --headless --port 8080
PILOTHOUSE_FETCH_ELECTRON=1 fetches Electron's binary without a time limit.`

/**
 * @param {readonly string[]} args What follows `npm start --`.
 * @returns {{ wanted: 'desktop' | 'headless' | null, isHelp: boolean, isDemo: boolean, rest: string[] }} `rest` is for
 *   the app.
 */
export function parseStartArguments(args) {
  const own = ['--desktop', '--headless', '--demo', '--help', '-h']
  // After a `--` of their own nothing is ours.
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const ours = args.slice(0, end)
  const isDemo = ours.includes('--demo')
  const lastWanted = isDemo
    ? '--headless'
    : ours.filter((arg) => arg === '--desktop' || arg === '--headless').pop()
  return {
    wanted: lastWanted === '--desktop' ? 'desktop' : lastWanted === '--headless' ? 'headless' : null,
    isDemo,
    isHelp: ours.includes('--help') || ours.includes('-h'),
    rest: [...ours.filter((arg) => !own.includes(arg)), ...args.slice(end + 1)],
  }
}

/**
 * The arguments of `pilothouse serve`: on a free port, unless a port or a config that may name one was given, so
 * that any number of starts can run side by side.
 * @param {readonly string[]} rest What the person passed on.
 * @param {{ env: NodeJS.ProcessEnv, hasConfigFile: boolean }} surroundings `hasConfigFile`: pilothouse.yaml, .yml
 *   or .json is in the working directory.
 * @returns {string[]}
 */
export function serveArguments(rest, { env, hasConfigFile }) {
  const isPortGiven =
    hasConfigFile ||
    env.PILOTHOUSE_SERVER__PORT !== undefined ||
    env.PILOTHOUSE_CONFIG !== undefined ||
    rest.some((arg) => /^--(port|config)(=|$)/.test(arg))
  return ['serve', ...(isPortGiven ? [] : ['--port', '0']), ...rest]
}
