import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Position of the status digits in `HTTP/1.1 200 OK`. */
const [firstDigit, lastDigit] = [9, 11]

/** The digits of 100. */
const continueDigits = [...'100'].map((digit) => digit.charCodeAt(0))

const [carriageReturn, lineFeed, three] = [...'\r\n3'].map((character) => character.charCodeAt(0))

/**
 * Turns each `100 Continue` before a response into `103 Early Hints`, in place. An instance may send a 100 that nobody
 * asked for (RFC 9110 §15.2), but the HTTP client takes it for a broken response; it accepts other interim responses.
 * Only the digit changes, wherever the chunks of the stream begin and end.
 */
export class UnaskedContinue {
  #state: 'passing' | 'status' | 'interim' = 'passing'
  /** Bytes of the status line so far. */
  #at = 0
  /** Bytes of the line so far within an interim response, which an empty line ends. */
  #lineBytes = 0
  #isContinue = true

  /** A request is sent, so a response starts next. */
  begin(): void {
    this.#state = 'status'
    this.#at = 0
    this.#isContinue = true
  }

  /** Changes the next chunk of the stream where needed. */
  correct(piece: Buffer): void {
    for (let i = 0; i < piece.length && this.#state !== 'passing'; i++) {
      const byte = piece[i] as number
      if (this.#state === 'status') this.#takeStatus(piece, i, byte)
      else this.#takeInterim(byte)
    }
  }

  #takeStatus(piece: Buffer, i: number, byte: number): void {
    // Empty lines before a response are skipped.
    if (this.#at === 0 && (byte === carriageReturn || byte === lineFeed)) return
    if (this.#at >= firstDigit) this.#isContinue &&= byte === continueDigits[this.#at - firstDigit]
    if (this.#at === firstDigit && !this.#isContinue) this.#state = 'passing'
    if (this.#at === lastDigit) {
      if (this.#isContinue) piece[i] = three as number
      this.#state = 'interim'
      this.#lineBytes = lastDigit
    }
    this.#at += 1
  }

  #takeInterim(byte: number): void {
    if (byte === lineFeed) {
      if (this.#lineBytes === 0) this.begin()
      this.#lineBytes = 0
    } else if (byte !== carriageReturn) this.#lineBytes += 1
  }
}

const watched = new WeakMap<object, UnaskedContinue>()

// Documented by undici: published for each request before its first byte is written.
subscribe('undici:client:sendHeaders', (message) =>
  watched.get((message as { socket: object }).socket)?.begin(),
)

/** Lets an HTTP client that sends requests on `socket` one at a time accept `100 Continue`. */
export function acceptUnaskedContinue(socket: Socket): void {
  const filter = new UnaskedContinue()
  watched.set(socket, filter)
  const push = socket.push.bind(socket)
  socket.push = (piece: Buffer | null, encoding?: BufferEncoding) => {
    if (piece) filter.correct(piece)
    return push(piece, encoding)
  }
}
