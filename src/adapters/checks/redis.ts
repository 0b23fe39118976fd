import type net from 'node:net'
import {
  failed,
  failedForNow,
  passed,
  type CheckConfigOf,
  type Verdict,
} from '../../engine/validation/index.ts'
import { PeerFailure, placeText, readBytes, secured, unreachable, withSocket } from './network.ts'
import type { Run } from './surroundings.ts'

const longestLine = 1000
const carriageReturn = 13

/** A Redis server answers PING. That it asks for a password first shows as much: none is sent. */
export function redisCheck(config: CheckConfigOf<'redis'>): Run {
  const where = `Redis at ${placeText(config)}`
  return async (_request, signal) => {
    try {
      return await withSocket(config, signal, async (plain) => {
        const socket = config.isTls ? await secured(plain, signal) : plain
        socket.write('*1\r\n$4\r\nPING\r\n')
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

async function readLine(socket: net.Socket): Promise<string> {
  const bytes: number[] = []
  while (bytes.length < longestLine) {
    const [byte = 0] = await readBytes(socket, 1)
    if (byte === carriageReturn) break
    bytes.push(byte)
  }
  return Buffer.from(bytes).toString('utf8')
}
