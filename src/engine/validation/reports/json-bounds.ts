const deepest = 500
const mostValues = 2_000_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const [openList, closeList, openSection, closeSection] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Why a text, parsed as JSON, would take more than a report may: its nesting or its number of values, as a clause;
 * empty when it would not. One pass that holds nothing; whether it is JSON at all is not looked at.
 */
export function excessOf(source: string): string {
  let depth = 0
  let values = 0
  for (let at = 0; at < source.length; at++) {
    switch (source.charCodeAt(at)) {
      case quote:
        at = endOfText(source, at)
        break
      case openList:
      case openSection:
        depth += 1
        values += 1
        if (depth > deepest) return 'it is nested too deeply'
        break
      case closeList:
      case closeSection:
        depth -= 1
        break
      case comma:
        values += 1
        break
    }
    if (values > mostValues) return `it has more than ${mostValues.toLocaleString('en')} values`
  }
  return ''
}

/** Where the text that begins at `from` ends; the end of all when it does not. */
function endOfText(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at++) {
    const code = source.charCodeAt(at)
    if (code === quote) return at
    if (code === backslash) at += 1
  }
  return source.length
}
