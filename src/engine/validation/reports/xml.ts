/** What a reader of XML is told, in the order of the document. Names come without their namespace prefix. */
export interface XmlVisitor {
  open(name: string, attributes: ReadonlyMap<string, string>): void
  close(name: string): void
}

/** The text is not XML that we read; the message is a clause with the place. */
export class XmlError extends Error {}

const deepest = 100
const longestName = 200
const mostAttributes = 200
/** Of a value no more is read: names of tests are shown much shorter. */
const longestValue = 10_000

const nameAt = /[^\s=<>/"'!?&]+/y
const attributeAt = /\s+([^\s=<>/"']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y
const tagEndAt = /\s*(\/?)>/y
const closingAt = /<\/([^\s<>/]+)\s*>/y

const namedCharacters: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * Walks over the elements of untrusted XML in one pass, in time linear in its length. Document types are refused, so
 * there are no entities to expand; what is not well-formed throws `XmlError`.
 */
export function readXml(source: string, visitor: XmlVisitor): void {
  const open: string[] = []
  let hasRoot = false
  let at = source.startsWith('\uFEFF') ? 1 : 0

  const broken = (what: string): never => {
    throw new XmlError(`${what} on line ${source.slice(0, at).split('\n', 1_000_000).length}`)
  }
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    const found = pattern.exec(source)
    if (found) at = pattern.lastIndex
    return found
  }
  const skipPast = (end: string, what: string) => {
    const found = source.indexOf(end, at)
    if (found < 0) broken(`${what} does not end`)
    at = found + end.length
  }

  while (at < source.length) {
    const next = source.indexOf('<', at)
    const text = source.slice(at, next < 0 ? source.length : next)
    if (open.length === 0 && text.trim() !== '') broken('there is text outside the root element')
    if (next < 0) break
    at = next
    if (source.startsWith('<!--', at)) skipPast('-->', 'a comment')
    else if (source.startsWith('<![CDATA[', at)) {
      if (open.length === 0) broken('there is text outside the root element')
      skipPast(']]>', 'a CDATA section')
    } else if (source.startsWith('<?', at)) skipPast('?>', 'a processing instruction')
    else if (source.startsWith('<!', at)) broken('a document type is declared, which is not supported,')
    else if (source.startsWith('</', at)) {
      const name = match(closingAt)?.[1]
      if (name === undefined || name !== open.at(-1)) broken('a closing tag has no opening tag')
      visitor.close(localName(open.pop() ?? ''))
    } else {
      if (open.length === 0 && hasRoot) broken('there is a second root element')
      at += 1
      const name = match(nameAt)?.[0] ?? broken('a tag has no name')
      if (name.length > longestName) broken('a name is too long')
      const attributes = new Map<string, string>()
      for (let found = match(attributeAt); found; found = match(attributeAt)) {
        attributes.set(
          localName(found[1] ?? ''),
          unescaped((found[2] ?? found[3] ?? '').slice(0, longestValue)),
        )
        if (attributes.size > mostAttributes) broken('a tag has too many attributes')
      }
      const end = match(tagEndAt) ?? broken('a tag does not end')
      hasRoot = true
      visitor.open(localName(name), attributes)
      if (end[1] === '/') visitor.close(localName(name))
      else open.push(name)
      if (open.length > deepest) broken('elements are nested too deeply')
    }
  }
  if (!hasRoot) broken('there is no element')
  if (open.length > 0) broken(`<${open.at(-1)}> is not closed; the file is truncated`)
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1)

/** The five characters XML names itself, and numbers; anything else stays as it is written. */
function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (...found: string[]) => {
    const [written = '', decimal, hex, name] = found
    if (name) return namedCharacters[name] ?? written
    const code = hex ? parseInt(hex, 16) : parseInt(decimal ?? '', 10)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : written
  })
}
