import { readFile } from 'node:fs/promises'
import type net from 'node:net'
import { rootCertificates } from 'node:tls'
import {
  failed,
  failedForNow,
  passed,
  type CheckConfigOf,
  type Verdict,
} from '../../engine/validation/index.ts'
import { PeerFailure, placeText, readBytes, secured, unreachable, withSocket } from './network.ts'
import { passwordOf } from './password.ts'
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
  return async (_request, signal) => {
    const password = await passwordOf(config)
    if (!password.ok) return failed(`${where}: ${password.error.message}`)
    if (password.value !== null && !config.isTls && !isLoopback(config.host))
      return failed(`${where} would get the password in clear: set isTls.`)
    try {
      return await withSocket(config, signal, async (plain) => {
        const trusted = { servername: config.host, ...(await authorities(config.caFile)) }
        const isTrusted = password.value !== null
        const socket = config.isTls ? await secured(plain, signal, trusted, isTrusted) : plain
        if (password.value !== null) {
          socket.write(command('AUTH', ...(config.user === undefined ? [] : [config.user]), password.value))
          const answer = await readLine(socket)
          if (answer !== '+OK') return judge(answer)
        }
        socket.write(command('PING'))
        return judge(await readLine(socket))
      })
    } catch (thrown) {
      if (thrown instanceof PeerFailure)
        return failedForNow(`${where} does not talk as it should: ${thrown.message}.`)
      return unreachable(where, thrown)
    }
  }

  function judge(answer: string): Verdict {
    if (answer === '+PONG') return passed(`${where} answers.`)
    if (/^-(NOAUTH|NOPERM)\b/.test(answer)) return passed(`${where} answers, and asks for a password.`)
    if (/^-(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN)\b|^-ERR max number of clients/.test(answer))
      return failedForNow(`${where} is not ready: ${answer.slice(1)}.`)
    if (answer.startsWith('-')) return failed(`${where} refuses: ${answer.slice(1)}.`)
    return failed(`What answers at ${placeText(config)} is no Redis.`, answer)
  }
}

/** https://redis.io/docs/latest/develop/reference/protocol-spec/ */
const command = (...words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/** Beside those that Node trusts. */
async function authorities(caFile: string | undefined): Promise<{ ca?: string[] }> {
  return caFile === undefined ? {} : { ca: [...rootCertificates, await readFile(caFile, 'utf8')] }
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/i.test(host)

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
