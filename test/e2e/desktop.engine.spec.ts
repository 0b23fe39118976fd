import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, isLive, onlyOnTheDouble, test } from './shells/desktop-test.ts'

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test.describe("the desktop's engine", () => {
  test('is started again when it is killed, and the page says so and recovers', async ({ desktop }) => {
    const { page } = desktop
    const first = await desktop.enginePid()
    process.kill(first, 'SIGKILL')
    await expect(page.getByTestId('liveness')).not.toHaveAttribute('data-kind', 'live')
    await expect.poll(() => desktop.enginePid().catch(() => first)).not.toBe(first)
    await isLive(desktop)
    await expect(page.getByTestId('notices').getByText('The engine started').first()).toBeVisible()
  })

  test('is started again each time, later and later, and the page counts', async ({ desktop }) => {
    for (let death = 0; death < 4; death++) {
      const pid = await desktop.enginePid()
      process.kill(pid, 'SIGKILL')
      await expect.poll(() => desktop.enginePid().catch(() => pid)).not.toBe(pid)
    }
    const pid = await desktop.enginePid()
    process.kill(pid, 'SIGKILL')
    await expect(desktop.page.getByTestId('engine-lost')).toContainText(
      /restart [1-9]\d* (follows|is in progress)/,
    )
    await isLive(desktop)
  })

  test('shows in the panel as gone, hanging and well', async ({ desktop }) => {
    onlyOnTheDouble()
    test.skip(process.platform === 'win32', 'a process cannot be made to hang from outside there')
    const toolTip = () => desktop.evaluateDouble(({ observed }) => observed.trays[0]?.toolTip ?? '')
    await expect.poll(toolTip).toMatch(/health \d+ of 100/)
    const pid = await desktop.enginePid()
    process.kill(pid, 'SIGSTOP')
    await expect.poll(toolTip).toBe('Pilothouse, no live data: the engine does not respond')
    await expect(desktop.page.getByTestId('liveness')).toHaveAttribute('data-kind', 'stale')
    process.kill(pid, 'SIGCONT')
    await expect.poll(toolTip).toMatch(/health \d+ of 100/)
    await isLive(desktop)
  })

  test('says what is wrong with its configuration, and starts when that is mended', async ({ start }) => {
    const desktop = await start({ config: 'telemetry:\n  intervall: 1s\n' })
    const lost = desktop.page.getByTestId('engine-lost')
    await expect(lost).toContainText(`${desktop.configFile}:2:3`)
    await expect(lost).toContainText('intervall')
    writeFileSync(desktop.configFile, 'telemetry:\n  interval: 1s\n')
    await isLive(desktop)
  })

  test('takes a changed configuration into use while it runs', async ({ start }) => {
    const desktop = await start({ config: 'telemetry:\n  limits:\n    cpu:\n      warning: 0.7\n' })
    await isLive(desktop)
    writeFileSync(desktop.configFile, 'telemetry:\n  limits:\n    cpu:\n      warning: 0.75\n')
    await expect(desktop.page.getByTestId('notices')).toContainText('telemetry.limits.cpu.warning')
  })

  test('keeps its data and its log in the folder of the app', async ({ desktop, directory }) => {
    const files = readdirSync(join(directory, 'user-data', 'engine'))
    expect(files).toContain('telemetry.sqlite')
    expect(files).toContain('logs')
    await desktop.close()
    const log = readFileSync(join(directory, 'user-data', 'engine', 'logs', 'pilothouse.log'), 'utf8')
    for (const line of log.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg')
  })

  test('ends with the app, which ends well', async ({ desktop }) => {
    const pid = await desktop.enginePid()
    await desktop.close()
    expect(await desktop.ended).toBe(0)
    expect(isRunning(pid)).toBe(false)
  })

  test('ends with the app even when it hangs', async ({ desktop }) => {
    test.skip(process.platform === 'win32', 'a process cannot be made to hang from outside there')
    const pid = await desktop.enginePid()
    process.kill(pid, 'SIGSTOP')
    await desktop.close()
    expect(await desktop.ended).toBe(0)
    expect(isRunning(pid)).toBe(false)
  })

  test('does not outlive an app that is killed', async ({ desktop }) => {
    const pid = await desktop.enginePid()
    process.kill(desktop.pid, 'SIGKILL')
    await desktop.ended
    await expect.poll(() => isRunning(pid)).toBe(false)
  })
})
