import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { columnText, escapedText, phraseText, screenText, terminalText } from '../../../src/contract/index.ts'
import { hostileTexts, mayNotBeShown } from '../../support/hostile-texts.ts'

const variants = {
  terminalText,
  screenText,
  phraseText,
  columnText,
  escapedText: (text: string) => escapedText(text),
}

describe.each(Object.entries(variants))('%s', (name, shown) => {
  it.each(hostileTexts)('lets nothing of %j steer or deceive', (text) => {
    expect(shown(text)).not.toMatch(mayNotBeShown)
    if (name !== 'screenText') expect(shown(text)).not.toMatch(/[\t\r\n]/)
  })

  it('lets nothing of any text steer or deceive', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !mayNotBeShown.test(shown(text))))
  })

  it('leaves text of every script and emoji as it is', () => {
    for (const text of [
      'GET /café 200 <b>',
      'Grüße, привет, 日本語',
      'e\u0301',
      '👩\u200d💻 ❤\ufe0f\u200d🔥 🇩🇪',
    ])
      expect(shown(text)).toBe(text)
  })
})

describe('text from outside', () => {
  it('has a space for each run on a terminal, a dot for each character on a screen, and nothing in a phrase', () => {
    const text = '\u001b[31merror\u001b[0m \u202e\u202egnp.exe\u0007'
    expect(terminalText(text)).toBe('error  gnp.exe ')
    expect(screenText(text)).toBe('error ··gnp.exe·')
    expect(phraseText(text)).toBe('error gnp.exe')
    expect(screenText('\u001b]8;;https://evil\u0007link\u001b]8;;\u0007')).toBe('link')
  })

  it('is cut in a phrase, never within a character', () => {
    expect(phraseText('😀'.repeat(90))).toBe(`${'😀'.repeat(79)}…`)
    expect(phraseText('12345', 5)).toBe('12345')
    expect(phraseText('123456', 5)).toBe('1234…')
  })

  it('keeps its columns in an excerpt', () => {
    expect(columnText('a\u001b[31mb\u{e0041}c')).toBe('a [31mb  c')
  })

  it('can be read back from JSON where it is escaped', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
        (text) => JSON.parse(escapedText(JSON.stringify(text))) === text,
      ),
    )
  })
})
