import { app, dialog, Menu, session } from 'electron'
import { join } from 'node:path'
import type { LiveRecords, ServiceWayBack } from '../src/contract/index.ts'
import { registerAppScheme, serveAppScheme } from './app-scheme.ts'
import { showBadge } from './badge.ts'
import { commandIn, runCommand } from './command-mode.ts'
import { linkIn, linkScheme, viewOfLink } from './deep-links.ts'
import { edgeDirectoryIn, edgeProgram, runAsEdge } from './edge-mode.ts'
import { rollBackWhenConfirmed, waysBackIn } from './emergency.ts'
import { EngineProcess } from './engine-process.ts'
import { EngineWatch } from './engine-watch.ts'
import { denyPermissions, lockDownPages } from './lockdown.ts'
import { menuTemplate, type MenuActions } from './menu.ts'
import { notify, tell } from './notifications.ts'
import { answerPages } from './page-access.ts'
import { StatusTray } from './tray.ts'
import { hasUpdateSource, startUpdates } from './updates.ts'
import { standingOf, worseningOf } from './watch-state.ts'
import { Windows } from './windows.ts'

const dist = join(import.meta.dirname, '..')

const edgeDirectory = edgeDirectoryIn(process.argv)
const command = commandIn(process.argv, app.isPackaged)
if (edgeDirectory !== undefined) void runAsEdge(edgeDirectory)
else if (command) void runCommand(command, join(dist, 'node', 'cli.js'))
else open()

/** The desktop app. */
function open(): void {
  app.enableSandbox()
  registerAppScheme()
  lockDownPages()

  if (app.requestSingleInstanceLock()) {
    // Links may come before the app is ready.
    let early = viewOfLink(linkIn(process.argv) ?? '')
    let show = (path?: string) => {
      early = path ?? early
    }
    app.on('second-instance', (_event, argv) => show(viewOfLink(linkIn(argv) ?? '')))
    app.on('open-url', (event, link) => {
      event.preventDefault()
      const path = viewOfLink(link)
      if (path !== undefined) show(path)
    })
    app
      .whenReady()
      .then(() => {
        const windows = start(early)
        show = (path) => windows.show(path)
      })
      .catch((failure: Error) => {
        dialog.showErrorBox('Pilothouse cannot start', failure.stack ?? failure.message)
        app.exit(1)
      })
  } else {
    app.quit()
  }
}

function start(path: string | undefined): Windows {
  const userData = app.getPath('userData')
  // Windows shows notifications only of an app it knows by name: that of the installer's shortcut.
  if (process.platform === 'win32') app.setAppUserModelId('io.pilothouse.desktop')
  if (app.isPackaged) app.setAsDefaultProtocolClient(linkScheme)
  serveAppScheme(join(dist, 'renderer'))
  denyPermissions(session.defaultSession)

  const windows = new Windows({
    preload: join(dist, 'electron', 'preload.cjs'),
    stateFile: join(userData, 'window-state.json'),
  })
  const show = (view?: string) => windows.show(view)
  const engine = new EngineProcess({
    entry: join(dist, 'node', 'engine-process.js'),
    dataDirectory: join(userData, 'engine'),
    edgeProgram: edgeProgram(),
    changed: (state) => {
      windows.tellEngineState(state)
      if (state.kind === 'running') watch.engineIsUp()
    },
  })
  answerPages(windows, engine)

  const rollBack = async (ways: readonly ServiceWayBack[]) => {
    const news = await rollBackWhenConfirmed(ways, (chosen) => watch.rollBack(chosen))
    if (news) tell(news, show)
  }
  const tray = new StatusTray({ show, rollBack: (ways) => void rollBack(ways), quit: () => app.quit() })
  let known: Partial<LiveRecords> = {}
  let ways: ServiceWayBack[] = []
  const watch = new EngineWatch(engine, (watched) => {
    const standing = standingOf(watched)
    // While the engine is away, what it last knew of is still the way back.
    if (watched.isLive) ways = waysBackIn(watched.records)
    tray.update(standing, ways)
    showBadge(standing, windows)
    if (!watched.isLive) return
    const worsening = worseningOf(known, watched.records)
    // An engine that was just started knows nothing yet; what was known before it stays the measure.
    if (typeof watched.records.health?.score === 'number') known = watched.records
    if (worsening) notify(worsening, show)
  })

  engine.start()
  windows.open(path)
  quitInOrder(windows, engine, watch)

  const actions = { newWindow: () => void windows.open(), show }
  setMenu(actions)
  if (hasUpdateSource(app.isPackaged, process.resourcesPath)) {
    const log = (message: string) => process.stderr.write(`${message}\n`)
    void startUpdates(log).then((checkForUpdates) => setMenu({ ...actions, checkForUpdates }))
  }
  return windows
}

function setMenu(actions: MenuActions): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, app.isPackaged, actions)))
}

/** The engine ends in its own time, so that nothing it holds is lost, and only then the app. */
function quitInOrder(windows: Windows, engine: EngineProcess, watch: EngineWatch): void {
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('activate', () => windows.show())
  app.on('will-quit', (event) => {
    if (engine.state.kind === 'stopped') return
    event.preventDefault()
    watch.close()
    void engine.stop().finally(() => app.quit())
  })
}
