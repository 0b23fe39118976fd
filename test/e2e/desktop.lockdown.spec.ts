import { expect, isLive, onlyOnTheDouble, test } from './shells/desktop-test.ts'

test.describe('a page of the desktop app', () => {
  test('cannot leave the app', async ({ desktop }) => {
    const { page } = desktop
    const home = page.url()
    await desktop.evaluate(({ BrowserWindow }) => {
      const denied: string[] = []
      Object.assign(globalThis, { denied })
      const contents = BrowserWindow.getAllWindows()[0]?.webContents
      // After the app's own listener: what it prevented is seen as prevented.
      contents?.on(
        'will-frame-navigate',
        ({ url, defaultPrevented }: { url: string; defaultPrevented: boolean }) =>
          denied.push(`${url} ${defaultPrevented ? 'denied' : 'allowed'}`),
      )
    })
    const decided = () =>
      desktop.evaluate(() => (globalThis as unknown as { denied: string[] }).denied.toSorted())
    // One after the other: a page that is told to go elsewhere forgets where it was told to go before.
    await page.evaluate(() => location.assign('https://example.com/assigned'))
    await expect.poll(decided).toEqual(['https://example.com/assigned denied'])
    await page.evaluate(() => location.assign('http://127.0.0.1:1/'))
    await expect.poll(decided).toContain('http://127.0.0.1:1/ denied')
    await page.evaluate(() => {
      const link = Object.assign(document.createElement('a'), { href: 'https://example.com/linked' })
      document.body.append(link)
      link.click()
    })
    await expect.poll(decided).toContain('https://example.com/linked denied')
    expect(await decided()).toHaveLength(3)
    expect(page.url()).toBe(home)
    await isLive(desktop)
  })

  test('cannot open windows', async ({ desktop }) => {
    const addresses = ['https://example.com/', '/overview', 'about:blank']
    const results = await desktop.page.evaluate(
      (urls) => urls.map((url) => window.open(url) === null),
      addresses,
    )
    if (desktop.kind === 'electron') {
      expect(results).toEqual([true, true, true])
    } else {
      // The double can only close a window that was denied; what counts is what the app answered.
      const asked = () => desktop.evaluateDouble(({ observed }) => observed.windowsAskedFor)
      await expect.poll(async () => (await asked()).length).toBe(addresses.length)
      expect((await asked()).filter(({ isAllowed }) => isAllowed)).toEqual([])
    }
    const count = await desktop.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)
    expect(count).toBe(1)
  })

  test('reaches the browser of the system only with addresses of the list', async ({ desktop }) => {
    onlyOnTheDouble()
    await desktop.page.evaluate(() => {
      for (const href of [
        'https://example.com/',
        'http://github.com/',
        'https://github.com.example.com/',
        'https://user:password@github.com/',
        'file:///etc/passwd',
        'https://github.com/electron/electron',
      ]) {
        window.open(href, '_blank')
      }
    })
    const opened = () => desktop.evaluateDouble(({ observed }) => observed.openedOutside)
    await expect.poll(opened).toEqual(['https://github.com/electron/electron'])
  })

  test('cannot fetch from elsewhere, frame others or run foreign scripts', async ({ desktop }) => {
    const { page } = desktop
    const fetched = await page.evaluate(() => {
      const violations = new Set<string>()
      Object.assign(window, { violations })
      document.addEventListener('securitypolicyviolation', (event) =>
        violations.add(event.effectiveDirective),
      )
      document.body.append(Object.assign(document.createElement('iframe'), { src: '/overview' }))
      document.body.append(Object.assign(document.createElement('script'), { src: 'data:text/javascript,0' }))
      return fetch('https://example.com/').then(
        () => 'answered',
        () => 'refused',
      )
    })
    expect(fetched).toBe('refused')
    const violations = () =>
      page.evaluate(() => [...(window as unknown as { violations: Set<string> }).violations].sort())
    await expect.poll(violations).toEqual(['connect-src', 'frame-src', 'script-src-elem'])
  })

  test('may notify and write to the clipboard, and nothing else', async ({ desktop }) => {
    onlyOnTheDouble()
    const granted = await desktop.evaluateDouble(({ session }) => {
      const asked = [
        'notifications',
        'clipboard-sanitized-write',
        'clipboard-read',
        'geolocation',
        'media',
        'midi',
        'display-capture',
        'openExternal',
        'fileSystem',
        'pointerLock',
        'fullscreen',
      ]
      const all = asked.map((name) => {
        const { request, check } = session.defaultSession.asksFor(name, 'pilothouse-app://app/overview')
        return [name, request, check] as const
      })
      const elsewhere = session.defaultSession.asksFor('notifications', 'https://example.com/')
      return { all, elsewhere, device: session.defaultSession.grantsDevice() }
    })
    expect(granted.all.filter(([, request, check]) => request || check)).toEqual([
      ['notifications', true, true],
      ['clipboard-sanitized-write', true, true],
    ])
    expect(granted.elsewhere).toEqual({ request: false, check: false })
    expect(granted.device).toBe(false)
  })

  test('gets ports to the engine only as the main frame of our own page', async ({ desktop }) => {
    onlyOnTheDouble()
    const answers = await desktop.evaluateDouble(async ({ BrowserWindow, invokeFrom }) => {
      const id = BrowserWindow.getAllWindows()[0]?.id ?? 0
      const senders = [
        { url: 'pilothouse-app://app/overview', isMainFrame: true },
        { url: 'pilothouse-app://app/overview', isMainFrame: false },
        { url: 'pilothouse-app://other/', isMainFrame: true },
        { url: 'https://example.com/', isMainFrame: true },
        { url: 'file:///tmp/page.html', isMainFrame: true },
        { url: 'about:blank', isMainFrame: true },
      ]
      return Promise.all(
        senders.map((sender) =>
          invokeFrom(id, sender, 'engine.connect').then(
            () => 'served',
            (failure: Error) => (/not a window of Pilothouse/.test(failure.message) ? 'refused' : 'failed'),
          ),
        ),
      )
    })
    expect(answers).toEqual(['served', 'refused', 'refused', 'refused', 'refused', 'refused'])
  })

  test('has no web views, and every process of a page is sandboxed', async ({ desktop }) => {
    onlyOnTheDouble()
    const answer = await desktop.evaluateDouble(({ app, BrowserWindow }) => {
      let isPrevented = false
      const event = { preventDefault: () => void (isPrevented = true) }
      BrowserWindow.getAllWindows()[0]?.webContents.emit('will-attach-webview', event, {}, {})
      return { isPrevented, isSandboxed: app.asked.isSandboxed }
    })
    expect(answer).toEqual({ isPrevented: true, isSandboxed: true })
  })
})
