import { createHash, randomBytes } from 'node:crypto'
import type net from 'node:net'
import {
  failed,
  failedForNow,
  passed,
  type CheckConfigOf,
  type CheckVerdict,
} from '../../engine/validation/index.ts'
import { PeerFailure, placeText, readBytes, secured, unreachable, withSocket } from './network.ts'
import { withPassword } from './password.ts'
import { scramFirst, scramProof } from './scram.ts'
import type { Run } from './surroundings.ts'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const tlsRequestCode = 80_877_103
const protocolVersion = 196_608
/** What an Authentication message asks for. */
const authentication = { ok: 0, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const
const mechanism = 'SCRAM-SHA-256'
const longestMessageBytes = 64 * 1024
const mostMessages = 200

/** Cannot connect now (starting, stopping, recovering), too many connections, out of memory. */
const passingStates: readonly string[] = ['57P03', '57P01', '57P02', '53300', '53200']

type Config = CheckConfigOf<'postgresql'>

/**
 * A PostgreSQL server accepts a session: user and database are known to exist, and the password to be right. Where it
 * asks for a password and none is configured, that it asks is enough. TLS is used when the server has it; its
 * certificate is the business of `tls`, which is why no password is ever sent in clear.
 */
export function postgresqlCheck(config: Config): Run {
  const where = `PostgreSQL at ${placeText(config)}`
  return (_request, signal) => withPassword(config, where, (password) => asked(password, signal))

  async function asked(password: string | null, signal: AbortSignal): Promise<CheckVerdict> {
    try {
      return await withSocket(config, signal, async (plain) => {
        plain.write(int32s(8, tlsRequestCode))
        const answer = (await readBytes(plain, 1)).toString('latin1')
        if (answer !== 'S' && answer !== 'N')
          return failed(`The server at ${placeText(config)} is not PostgreSQL.`)
        if (answer === 'N' && config.isTlsRequired) return failed(`${where} does not offer TLS.`)
        const socket = answer === 'S' ? await secured(plain, signal) : plain
        return openSession(socket, config, where, password)
      })
    } catch (thrown) {
      if (thrown instanceof Refused) return refusedSession(thrown.content, where)
      if (thrown instanceof PeerFailure)
        return failedForNow(`${where} did not follow the protocol: ${thrown.message}.`)
      return unreachable(where, thrown)
    }
  }
}

async function openSession(
  socket: net.Socket,
  { user, database }: Config,
  where: string,
  password: string | null,
): Promise<CheckVerdict> {
  const settings = ['user', user, 'database', database, 'application_name', 'pilothouse', ''].join('\0')
  const body = Buffer.from(`${settings}\0`)
  socket.write(Buffer.concat([int32s(8 + body.length, protocolVersion), body]))
  for (let count = 0; count < mostMessages; count++) {
    const { type, content } = await readMessage(socket)
    if (type === 'R' && content.length >= 4) {
      const method = content.readInt32BE(0)
      if (method !== authentication.ok && password === null)
        return passed(`${where} accepts connections and asks for a password.`)
      if (method === authentication.md5)
        sendPassword(socket, md5Answer(user, password ?? '', content.subarray(4)))
      else if (method === authentication.sasl) {
        if (!content.toString('latin1', 4).split('\0').includes(mechanism))
          return failed(`${where} does not accept ${mechanism}.`)
        await proveByScram(socket, password ?? '')
      } else if (method !== authentication.ok)
        return failed(`${where} requires a password method that is not supported (method ${method}).`)
    }
    if (type === 'Z') {
      socket.end(Buffer.from('X\0\0\0\x04', 'latin1'))
      return passed(`${where} accepts a session of ${user} in the database ${database}.`)
    }
    if (type === 'E') return refusedSession(content, where)
  }
  throw new PeerFailure('it never reported that it is ready')
}

/** SASL with SCRAM-SHA-256, up to the server's own proof; a refusal is read by the caller. */
async function proveByScram(socket: net.Socket, password: string): Promise<void> {
  const nonce = randomBytes(18).toString('base64')
  const first = Buffer.from(`n,,${scramFirst(nonce)}`)
  sendPassword(socket, Buffer.concat([Buffer.from(`${mechanism}\0`), int32s(first.length), first]))
  const challenge = await readMessage(socket)
  if (challenge.type === 'E') throw new Refused(challenge.content)
  if (requestOf(challenge) !== authentication.saslContinue) throw new PeerFailure('it did not continue SCRAM')
  const proof = await scramProof(password, nonce, challenge.content.toString('utf8', 4))
  sendPassword(socket, Buffer.from(proof.text))
  const last = await readMessage(socket)
  if (last.type === 'E') throw new Refused(last.content)
  if (requestOf(last) !== authentication.saslFinal || !proof.isGenuine(last.content.toString('utf8', 4)))
    throw new PeerFailure('it does not know the password itself')
}

/** What a message asks for; -1 when it asks for nothing. */
const requestOf = ({ type, content }: { type: string; content: Buffer }): number =>
  type === 'R' && content.length >= 4 ? content.readInt32BE(0) : -1

/** An ErrorResponse in the middle of something else. */
class Refused extends Error {
  readonly content: Buffer

  constructor(content: Buffer) {
    super('refused')
    this.content = content
  }
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP */
function md5Answer(user: string, password: string, salt: Buffer): Buffer {
  const md5 = (text: string | Buffer) => createHash('md5').update(text).digest('hex')
  const inner = md5(password + user)
  return Buffer.from(`md5${md5(Buffer.concat([Buffer.from(inner), salt]))}\0`)
}

const sendPassword = (socket: net.Socket, content: Buffer): boolean =>
  socket.write(Buffer.concat([Buffer.from('p'), int32s(4 + content.length), content]))

async function readMessage(socket: net.Socket): Promise<{ type: string; content: Buffer }> {
  const head = await readBytes(socket, 5)
  const length = head.readInt32BE(1) - 4
  if (length < 0 || length > longestMessageBytes) throw new PeerFailure('a message has an impossible length')
  return { type: head.toString('latin1', 0, 1), content: await readBytes(socket, length) }
}

function refusedSession(content: Buffer, where: string): CheckVerdict {
  const { state, message } = refusalOf(content)
  const sentence = `${where} refuses a session: ${message} (${state}).`
  return passingStates.includes(state) ? failedForNow(sentence) : failed(sentence)
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
