import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { rootCertificates } from 'node:tls'
import { messageOf } from '../../base/index.ts'
import {
  failed,
  failedForNow,
  passed,
  sendsPasswordInClear,
  type CheckConfigOf,
  type CheckVerdict,
} from '../../engine/validation/index.ts'
import { PeerFailure, placeText, readBytes, secured, unreachable, withSocket } from './network.ts'
import { withPassword } from './password.ts'
import type { Run } from './surroundings.ts'

const longestLine = 1000
const carriageReturn = 13
const lineFeed = 10

/**
 * A Redis server answers PING, after its password where one is configured. Where it asks for one and none is, that
 * shows as much. A password is sent only to this machine, or over TLS to a trusted certificate: Redis takes it in
 * clear.
 */
export function redisCheck(config: CheckConfigOf<'redis'>): Run {
  const where = `Redis at ${placeText(config)}`
  return (_request, signal) => withPassword(config, where, (password) => asked(password, signal))

  async function asked(password: string | null, signal: AbortSignal): Promise<CheckVerdict> {
    if (sendsPasswordInClear(config))
      return failed(`${where} would get the password in plain text: set isTls.`)
    const trusted = await trustOf(config)
    if ('why' in trusted) return failed(`${where}: ${trusted.why}`)
    try {
      return await withSocket(config, signal, async (plain) => {
        const socket = config.isTls ? await secured(plain, signal, trusted, password !== null) : plain
        if (password !== null) {
          socket.write(command('AUTH', ...(config.user === undefined ? [] : [config.user]), password))
          const answer = await readLine(socket)
          if (answer !== '+OK') return judge(answer)
        }
        socket.write(command('PING'))
        return judge(await readLine(socket))
      })
    } catch (thrown) {
      if (thrown instanceof PeerFailure)
        return failedForNow(`${where} did not follow the protocol: ${thrown.message}.`)
      return unreachable(where, thrown)
    }
  }

  function judge(answer: string): CheckVerdict {
    if (answer === '+PONG') return passed(`${where} answers.`)
    if (/^-(NOAUTH|NOPERM)\b/.test(answer)) return passed(`${where} answers and asks for a password.`)
    if (/^-(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN)\b|^-ERR max number of clients/.test(answer))
      return failedForNow(`${where} is not ready: ${answer.slice(1)}.`)
    if (answer.startsWith('-')) return failed(`${where} refuses: ${answer.slice(1)}.`)
    return failed(`The server at ${placeText(config)} is not Redis.`, answer)
  }
}

/** https://redis.io/docs/latest/develop/reference/protocol-spec/ */
const command = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/** The name a certificate must be for, and who may stand behind it beside those that Node trusts. */
async function trustOf({
  host,
  caFile,
}: CheckConfigOf<'redis'>): Promise<{ host: string; servername?: string; ca?: string[] } | { why: string }> {
  try {
    return {
      host,
      // An address is no name to ask for; the certificate is held against it all the same.
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
      ...(caFile === undefined ? {} : { ca: [...rootCertificates, await readFile(caFile, 'utf8')] }),
    }
  } catch (thrown) {
    return { why: `The file of trusted certificates cannot be read: ${messageOf(thrown)}.` }
  }
}

async function readLine(socket: net.Socket): Promise<string> {
  const bytes: number[] = []
  while (bytes.length < longestLine) {
    const [byte = 0] = await readBytes(socket, 1)
    if (byte === carriageReturn) break
    // Of the line before.
    if (byte === lineFeed && bytes.length === 0) continue
    bytes.push(byte)
  }
  return Buffer.from(bytes).toString('utf8')
}
