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

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const tlsRequestCode = 80_877_103
const protocolVersion = 196_608
const longestMessageBytes = 64 * 1024
const mostMessages = 200

/** Cannot connect now (starting, stopping, recovering), too many connections, out of memory. */
const passingStates: readonly string[] = ['57P03', '57P01', '57P02', '53300', '53200']

type Config = CheckConfigOf<'postgresql'>

/**
 * A PostgreSQL server accepts a session. Where it asks for a password that is enough: none is sent. Where it does not,
 * user and database are known to exist. TLS is used when the server has it; its certificate is the business of `tls`.
 */
export function postgresqlCheck(config: Config): Run {
  const where = `PostgreSQL at ${placeText(config)}`
  return async (_request, signal) => {
    try {
      return await withSocket(config, signal, async (plain) => {
        plain.write(int32s(8, tlsRequestCode))
        const answer = (await readBytes(plain, 1)).toString('latin1')
        if (answer !== 'S' && answer !== 'N')
          return failed(`What answers at ${placeText(config)} is no PostgreSQL.`)
        if (answer === 'N' && config.isTlsRequired) return failed(`${where} does not offer TLS.`)
        return openSession(answer === 'S' ? await secured(plain, signal) : plain, config, where)
      })
    } catch (thrown) {
      if (thrown instanceof PeerFailure)
        return failedForNow(`${where} does not talk as it should: ${thrown.message}.`)
      return unreachable(where, thrown)
    }
  }
}

async function openSession(socket: net.Socket, { user, database }: Config, where: string): Promise<Verdict> {
  const settings = ['user', user, 'database', database, 'application_name', 'pilothouse', ''].join('\0')
  const body = Buffer.from(`${settings}\0`)
  socket.write(Buffer.concat([int32s(8 + body.length, protocolVersion), body]))
  for (let count = 0; count < mostMessages; count++) {
    const { type, content } = await readMessage(socket)
    if (type === 'R' && content.length >= 4 && content.readInt32BE(0) !== 0)
      return passed(`${where} accepts connections, and asks for a password.`)
    if (type === 'Z') {
      socket.end(Buffer.from('X\0\0\0\x04', 'latin1'))
      return passed(`${where} accepts a session of ${user} in ${database}.`)
    }
    if (type === 'E') {
      const { state, message } = refusalOf(content)
      const sentence = `${where} refuses a session: ${message} (${state}).`
      return passingStates.includes(state) ? failedForNow(sentence) : failed(sentence)
    }
  }
  throw new PeerFailure('it never says that it is ready')
}

async function readMessage(socket: net.Socket): Promise<{ type: string; content: Buffer }> {
  const head = await readBytes(socket, 5)
  const length = head.readInt32BE(1) - 4
  if (length < 0 || length > longestMessageBytes) throw new PeerFailure('a message has an impossible length')
  return { type: head.toString('latin1', 0, 1), content: await readBytes(socket, length) }
}

/** Fields of an ErrorResponse: a letter and a text each. */
function refusalOf(content: Buffer): { state: string; message: string } {
  const fields = new Map(
    content
      .toString('utf8')
      .split('\0')
      .filter((field) => field !== '')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  )
  return { state: fields.get('C') ?? 'no state', message: fields.get('M') ?? 'no reason given' }
}

function int32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeInt32BE(value, 4 * i)
  return bytes
}
