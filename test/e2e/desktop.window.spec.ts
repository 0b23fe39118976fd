import { expect, isLive, onlyOnTheDouble, test } from './shells/desktop-test.ts'

test.describe('a window of the desktop app', () => {
  test('shows live figures of this machine over the ports of its own engine', async ({ desktop }) => {
    const { page } = desktop
    await expect(page.getByTestId('card-cpu')).toContainText(/\d%/)
    await expect(page).toHaveTitle(/Pilothouse/)
  })

  test('is a sandboxed page without Node', async ({ desktop }) => {
    const preferences = await desktop.evaluate(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0]
      return window?.webContents.getLastWebPreferences()
    })
    expect(preferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      webSecurity: true,
    })
    const reachable = await desktop.page.evaluate(() =>
      ['require', 'process', 'module', 'Buffer', 'ipcRenderer', 'electron'].filter((name) => name in window),
    )
    expect(reachable).toEqual([])
  })

  test('gives its page three functions and nothing else', async ({ desktop }) => {
    const api = await desktop.page.evaluate(() =>
      Object.entries((window as unknown as { pilothouse: object }).pilothouse).map(
        ([name, value]) => `${name}: ${typeof value}`,
      ),
    )
    expect(api.sort()).toEqual(['connectEngine: function', 'onEngineState: function', 'onNavigate: function'])
  })

  test('loads its page under the strict policy, with nothing the policy refuses', async ({ desktop }) => {
    const { page } = desktop
    const refused: string[] = []
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text())
    })
    const response = await page.reload()
    await isLive(desktop)
    expect(response?.headers()['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(refused).toEqual([])
  })

  test('comes back to the same screen after a reload, with a connection of its own', async ({ desktop }) => {
    const { page } = desktop
    await page.getByRole('link', { name: 'Settings' }).first().click()
    await expect(page).toHaveURL(/\/settings/)
    await page.reload()
    await expect(page).toHaveURL(/\/settings/)
    await isLive(desktop)
  })

  test('serves its bundle and its screens, to GET only', async ({ desktop }) => {
    const answers = await desktop.page.evaluate(async () => {
      const status = async (path: string, method: string) => (await fetch(path, { method })).status
      return {
        icon: await status('/favicon.svg', 'GET'),
        screen: await status('/host/local', 'GET'),
        unknown: await status('/package.json', 'GET'),
        outside: await status('/..%2f..%2fpackage.json', 'GET'),
        post: await status('/', 'POST'),
      }
    })
    expect(answers).toEqual({ icon: 200, screen: 200, unknown: 404, outside: 400, post: 405 })
  })

  test('opens a second window that lives on when the first is closed', async ({ desktop }) => {
    await desktop.evaluate(({ Menu }) => {
      const file = Menu.getApplicationMenu()?.items.find(({ label }) => label === '&File')
      file?.submenu?.items.find(({ label }) => label === 'New Window')?.click()
    })
    const second = await desktop.window(2)
    await isLive({ page: second })
    await desktop.page.close()
    await second.reload()
    await isLive({ page: second })
  })

  test('is loaded anew when its page crashes', async ({ desktop }) => {
    onlyOnTheDouble()
    const devtools = await desktop.page.context().newCDPSession(desktop.page)
    const crashed = desktop.page.waitForEvent('crash')
    // The answer never comes: whoever would give it is gone.
    devtools.send('Page.crash').catch(() => undefined)
    await crashed
    await isLive({ page: await desktop.window(2) })
  })
})
