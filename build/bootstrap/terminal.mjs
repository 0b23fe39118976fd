const isTty = process.stdout.isTTY === true && process.env.CI === undefined && process.env.TERM !== 'dumb'
const hasColor = isTty && process.env.NO_COLOR === undefined

/** @param {string} code @param {string} text */
const paint = (code, text) => (hasColor ? `\u001b[${code}m${text}\u001b[0m` : text)

/** Has what we start print colours exactly where we do: it writes to a pipe and cannot know. */
export const colorEnvironment = () => (hasColor ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: '0' })

export const bold = (/** @type {string} */ text) => paint('1', text)
export const dim = (/** @type {string} */ text) => paint('2', text)
export const red = (/** @type {string} */ text) => paint('31', text)
export const green = (/** @type {string} */ text) => paint('32', text)
export const yellow = (/** @type {string} */ text) => paint('33', text)

/** @param {number} ms */
export const seconds = (ms) => (ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : minutes(ms))

/** @param {number} ms */
function minutes(ms) {
  const total = Math.round(ms / 1000)
  return `${Math.floor(total / 60)} min ${total % 60} s`
}

/**
 * Prints one line, over the running phase's if there is one.
 * @param {string} line
 */
export function say(line) {
  clearPhase()
  process.stdout.write(`${line}\n`)
}

let phaseLine = ''
function clearPhase() {
  if (phaseLine) process.stdout.write('\r\u001b[K')
  phaseLine = ''
}

/**
 * Shows that something long is running: on a terminal one line that counts the seconds, elsewhere one line at the
 * start and one every 15 s, so that a log shows it is alive.
 * @param {string} title
 * @returns {{ note: (text: string) => void, end: () => number }} `note` adds what is known by now; `end` gives the
 *   milliseconds it took.
 */
export function phase(title) {
  const startedAt = performance.now()
  let noted = ''
  const draw = () => {
    const text = `${title}${noted ? `, ${noted}` : ''} ${dim(seconds(performance.now() - startedAt))}`
    if (!isTty) return void process.stdout.write(`  ${text}\n`)
    process.stdout.write(`\r\u001b[K  ${text}`)
    phaseLine = text
  }
  if (isTty) draw()
  else process.stdout.write(`  ${title}\n`)
  const timer = setInterval(draw, isTty ? 250 : 15_000)
  return {
    note: (text) => {
      noted = text
    },
    end: () => {
      clearInterval(timer)
      clearPhase()
      return performance.now() - startedAt
    },
  }
}
