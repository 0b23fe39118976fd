import { afterEach, describe, expect, it, vi } from 'vitest'
import { ManagedProcess } from '../../../src/edge/supervisor/managed-process.ts'
import { VirtualClock } from '../../support/clock.ts'

describe('a process whose output cannot be kept', () => {
  it('runs all the same, and says why', async () => {
    const started = await ManagedProcess.start(new VirtualClock(), {
      argv: [process.execPath, '-e', 'process.exit(process.stdout.writable ? 3 : 4)'],
      env: {},
      cwd: '/',
      stdoutPath: `${import.meta.filename}/out.log`,
      stderrPath: `${import.meta.filename}/err.log`,
    })
    expect(started.logTrouble).toMatch(/ENOTDIR|EEXIST/)
    expect((await started.ended).reason).toBe('exited with code 3')
  })
})

describe.skipIf(process.platform === 'win32')('a process that may not be signalled', () => {
  afterEach(() => vi.restoreAllMocks())

  it('is told to run on when it is stopped, and takes nothing else down', async () => {
    const clock = new VirtualClock()
    const started = await ManagedProcess.start(clock, {
      argv: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
      env: {},
      cwd: '/',
      stdoutPath: '/dev/null',
      stderrPath: '/dev/null',
    })
    // As the system answers about a command that has become another user's, such as sudo.
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
    })
    const stopped = started.stop(1000)
    await clock.advance(1000)
    await clock.advance(5000)
    expect(await stopped).toBe(false)
    kill.mockRestore()
    expect(await started.stop(1000)).toBe(true)
    expect(clock.timerCount).toBe(0)
  })
})
