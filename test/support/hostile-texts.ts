/** Texts that try to steer a terminal, forge a line, or look other than they are. */
export const hostileTexts = [
  '\u001b[31mred\u001b[0m',
  '\u001b[2J\u001b]0;title\u0007y\rz',
  '\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\',
  '\u009b31mc1 \u009d0;title\u009c',
  '\u001b]0;never ended',
  'bell\u0007 backspace\b tab\t nul\u0000 delete\u007f next\u0085line',
  'first\nsecond\r\nthird\u2028fourth\u2029fifth',
  'turned \u202egnp.exe\u202c and \u2066isolated\u2069, marks \u200e\u200f\u061c',
  'zero\u200bwidth\u2060joined\ufeffbom soft\u00adhyphen',
  'tags \u{e0001}\u{e0041}, interlinear \ufff9a\ufffab\ufffb',
  'lone \ud800 surrogates \udfff',
] as const

/** Characters that no text shown to a person may hold, a tab and line breaks aside. */
export const mayNotBeShown = /(?![\t\r\n])[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/u
