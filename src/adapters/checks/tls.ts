import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { messageOf, type Clock } from '../../base/index.ts'
import { failed, passed, warned, type CheckConfigOf } from '../../engine/validation/index.ts'
import { placeText, secured, unreachable, withSocket } from './network.ts'
import type { Run } from './surroundings.ts'

const dayMs = 86_400_000

/** A TLS server shows a certificate that is trusted, is for its name, and has days left. */
export function tlsCheck(config: CheckConfigOf<'tls'>, clock: Clock): Run {
  const { host, caFile, failBelowDays, warnBelowDays } = config
  const serverName = config.serverName ?? host
  const where = placeText(config)
  return async (_request, signal) => {
    let ca: Buffer | undefined
    try {
      ca = caFile === undefined ? undefined : await readFile(caFile)
    } catch (thrown) {
      return failed(`The file of trusted certificates cannot be read: ${messageOf(thrown)}.`)
    }
    try {
      return await withSocket(config, signal, async (socket) => {
        const secure = await secured(socket, signal, {
          host: serverName,
          ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
          ...(ca ? { ca } : {}),
        })
        const { valid_to: ends } = secure.getPeerCertificate()
        const trouble = secure.authorized ? '' : String(secure.authorizationError)
        secure.destroy()
        return judge(Date.parse(ends), trouble)
      })
    } catch (thrown) {
      return unreachable(where, thrown)
    }
  }

  function judge(endsAtMs: number, trouble: string) {
    const days = (endsAtMs - clock.nowMs()) / dayMs
    const whose = `The certificate of ${where}`
    const ending = days < 0 ? `expired ${daysText(-days)} ago` : `expires in ${daysText(days)}`
    const output = `expires ${new Date(endsAtMs).toISOString()}${trouble === '' ? '' : `\n${trouble}`}`
    if (days < 0) return failed(`${whose} ${ending}.`, output)
    if (trouble !== '') return failed(`${whose} is not trusted for ${serverName}: ${trouble}.`, output)
    if (days < failBelowDays)
      return failed(`${whose} ${ending}; at least ${daysText(failBelowDays)} must be left.`, output)
    if (days < warnBelowDays) return warned(`${whose} ${ending}.`, output)
    return passed(`${whose} is trusted and ${ending}.`, output)
  }
}

function daysText(days: number): string {
  if (days < 2) return `${Math.floor(days * 24)} hours`
  return `${Math.floor(days)} days`
}
