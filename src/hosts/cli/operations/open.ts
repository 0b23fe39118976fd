import { homedir, tmpdir } from 'node:os'
import { systemClock } from '../../../adapters/system/index.ts'
import { browserDirectory, openInBrowser } from '../../open-browser.ts'
import { jsonText } from '../json-text.ts'
import { exitCodes } from '../output.ts'
import { isLaunchPending, mintLaunchUrl } from './launch-calls.ts'
import type { Session } from './session.ts'

/**
 * `pilothouse open`: opens a page of the running engine in the browser, or prints an address that opens one. The address
 * is printed where it was asked for, where there is no browser, and where nobody reads a terminal.
 */
export async function openPage(isPrinted: boolean, session: Session): Promise<number> {
  const { address, out, isJson } = session
  const { url, token } = await mintLaunchUrl(address)
  if (isJson) {
    out.write(jsonText({ url }))
    return exitCodes.ok
  }
  const over = new AbortController()
  const stop = () => over.abort(new Error('stopped'))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, stop)
  try {
    const browser =
      isPrinted || !out.isTerminal
        ? null
        : openInBrowser({
            url,
            platform: process.platform,
            env: process.env,
            directory: browserDirectory(process.platform, { home: homedir(), temporary: tmpdir() }),
            clock: systemClock(),
            isPending: () => isLaunchPending(address, token),
            signal: over.signal,
          })
    if (browser) {
      out.write(
        'Opening Pilothouse in the browser. To print an address instead, run: pilothouse open --print\n',
      )
      await browser.opened
      return exitCodes.ok
    }
    out.write(`${url}\n`)
    return exitCodes.ok
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}
