import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { PeerFailure } from './network.ts'

/** More rounds would hold up the engine for a server that is up to no good; PostgreSQL's own default is 4096. */
const mostRounds = 1_000_000

const derive = promisify(pbkdf2)
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()

export interface ScramProof {
  /** The client's last message. */
  text: string
  /** Whether the server's last message shows that it knows the password, too. */
  isGenuine: (serverFinal: string) => boolean
}

/** The client's first message, after its GS2 header `n,,`: the server knows the user from elsewhere. */
export const scramFirst = (nonce: string): string => `n=,r=${nonce}`

/**
 * SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677): the answer to the server's first message, by which
 * neither learns the password of the other. Throws PeerFailure for a message that is none.
 */
export async function scramProof(password: string, nonce: string, serverFirst: string): Promise<ScramProof> {
  const fields = new Map(serverFirst.split(',').map((field) => [field.slice(0, 1), field.slice(2)]))
  const bothNonces = fields.get('r') ?? ''
  const salt = Buffer.from(fields.get('s') ?? '', 'base64')
  const rounds = Number(fields.get('i'))
  if (!bothNonces.startsWith(nonce) || bothNonces === nonce || salt.length === 0)
    throw new PeerFailure('its challenge is not SCRAM')
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > mostRounds)
    throw new PeerFailure(`it asks for ${fields.get('i')} rounds of SCRAM`)
  const salted = await derive(password.normalize('NFKC'), salt, rounds, 32, 'sha256')
  const withoutProof = `c=biws,r=${bothNonces}`
  const everything = `${scramFirst(nonce)},${serverFirst},${withoutProof}`
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(createHash('sha256').update(clientKey).digest(), everything)
  const proof = clientKey.map((byte, i) => byte ^ (signature[i] ?? 0))
  const expected = hmac(hmac(salted, 'Server Key'), everything)
  return {
    text: `${withoutProof},p=${Buffer.from(proof).toString('base64')}`,
    isGenuine: (serverFinal) => {
      const shown = Buffer.from(/^v=([^,]*)/.exec(serverFinal)?.[1] ?? '', 'base64')
      return shown.length === expected.length && timingSafeEqual(shown, expected)
    },
  }
}
