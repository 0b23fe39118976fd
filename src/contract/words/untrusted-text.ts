/**
 * Text from outside (names, reasons, log lines, labels) made safe to show. All variants share these character classes
 * and differ in what stands in place of a character.
 */

/** Control sequences of a terminal (ECMA-48): CSI, OSC with its end, and two-character ones. */
const sequences =
  // eslint-disable-next-line no-control-regex -- these are what it finds
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[@-Z\\-_]/g

/**
 * Control characters, line and paragraph separators, and format characters: what changes the direction of text or shows
 * as nothing. A joiner between two emoji is part of one.
 */
const unsafe =
  /[\p{Cc}\p{Zl}\p{Zp}]|(?!\u200d)\p{Cf}|(?<!\p{Extended_Pictographic}\ufe0f?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu

const unsafeRuns = new RegExp(`(?:${unsafe.source})+`, 'gu')

/** Without terminal sequences; each half of a surrogate pair that stands alone becomes U+FFFD. */
const wellFormed = (text: string): string => text.toWellFormed().replace(sequences, '')

/** For a terminal or a log line: one line, with a space for each run of unsafe characters. */
export const terminalText = (text: string): string => wellFormed(text).replace(unsafeRuns, ' ')

/** For a screen: a middle dot for each unsafe character; tabs stay. */
export const screenText = (text: string): string =>
  wellFormed(text).replace(unsafe, (character) => (character === '\t' ? character : '·'))

/** For an excerpt with a caret below it: a space for each code unit, so that columns stay where they are. */
export const columnText = (text: string): string =>
  text.toWellFormed().replace(unsafe, (character) => ' '.repeat(character.length))

/** As part of a sentence: unsafe characters are dropped, and the rest is cut to `most` characters. */
export function phraseText(text: string, most = 80): string {
  const characters = [...wellFormed(text).replace(unsafe, '')]
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}…`
}

/** Nothing is lost: a JSON escape for each unsafe character but those that `kept` matches. */
export const escapedText = (text: string, kept = /(?!)/): string =>
  text
    .toWellFormed()
    .replace(unsafe, (character) =>
      kept.test(character) ? character : character.replace(/[^]/g, unicodeEscape),
    )

const unicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
