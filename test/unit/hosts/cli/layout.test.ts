import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellWidth, fitted, table } from '../../../../src/hosts/cli/layout/index.ts'

const linesOf = (text: string) => text.split('\n').slice(0, -1)

describe('the width of text on a terminal', () => {
  it.each([
    ['shop', 4],
    ['日本語', 6],
    ['한국', 4],
    ['ｱｶﾞ', 3],
    ['e\u0301', 1],
    ['नि', 1],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['⚠\ufe0f', 2],
    ['a\u200db', 2],
    ['\u001b[1mbold\u001b[22m', 4],
    ['', 0],
  ])('counts %j as %i cells', (text, width) => expect(cellWidth(text)).toBe(width))
})

describe('text on narrow lines', () => {
  it('breaks at spaces, keeps a number with its unit, and stands deeper where it goes on', () => {
    expect(fitted('  Checked every 30\u00a0s, from 100 requests on\n', 22)).toBe(
      '  Checked every\n    30 s, from 100\n    requests on\n',
    )
  })

  it('marks where a word goes on in the next line', () => {
    expect(fitted('checkout-service-of-the-shop', 20)).toBe('checkout-service-…\n  of-the-shop')
  })

  it('is left as it is where nobody looks at a terminal', () => {
    expect(fitted(`${'x'.repeat(500)} y\n`, Infinity)).toBe(`${'x'.repeat(500)} y\n`)
  })

  it('loses nothing and exceeds nothing, whatever it says', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 120 }).filter((text) => !/[\n\u00a0…\p{Cc}]/u.test(text)),
        fc.integer({ min: 20, max: 60 }),
        (text, width) => {
          const shown = fitted(text, width)
          for (const line of shown.split('\n')) expect(cellWidth(line)).toBeLessThanOrEqual(width)
          expect(shown.replace(/[…\s]/g, '')).toBe(text.replace(/\s/g, ''))
        },
      ),
    )
  })
})

describe('a table', () => {
  const columns = [
    { heading: 'SERVICE' },
    { heading: 'ENVIRONMENT', dropAt: 1 },
    { heading: 'WHY', isProse: true },
  ]
  const rows = [
    ['shop', 'production', 'the first page answers at last'],
    ['日本語', 'staging', 'no'],
  ]

  it('lines up columns, wide characters among them, without trailing blanks', () => {
    expect(linesOf(table(columns, rows, { width: Infinity }))).toEqual([
      'SERVICE  ENVIRONMENT  WHY',
      'shop     production   the first page answers at last',
      '日本語   staging      no',
    ])
  })

  it('lets prose take several lines first', () => {
    expect(linesOf(table(columns, rows, { width: 44 }))).toEqual([
      'SERVICE  ENVIRONMENT  WHY',
      'shop     production   the first page answers',
      '                      at last',
      '日本語   staging      no',
    ])
  })

  it('leaves columns out next, and says which', () => {
    expect(linesOf(table(columns, rows, { width: 30 }))).toEqual([
      'SERVICE  WHY',
      'shop     the first page',
      '         answers at last',
      '日本語   no',
      'Not shown at this width:',
      'ENVIRONMENT',
    ])
  })

  it('makes a block of each row where no column is wide enough, and leaves nothing out of it', () => {
    const long = [['checkout-of-the-whole-shop', 'production', 'the first page answers']]
    expect(linesOf(table(columns, long, { width: 36 }))).toEqual([
      'SERVICE      checkout-of-the-whole-…',
      '             shop',
      'ENVIRONMENT  production',
      'WHY          the first page answers',
    ])
  })

  it('is never wider than the terminal', () => {
    const cell = fc
      .string({ unit: 'grapheme', maxLength: 60 })
      .map((text) => text.replace(/[\s\p{Cc}]/gu, ' '))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 20, max: 120 }),
        (cells, width) => {
          for (const line of linesOf(table(columns, cells, { width })))
            expect(cellWidth(line)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})
