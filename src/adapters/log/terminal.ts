import { terminalText } from '../../contract/index.ts'

const colours: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '',
  warn: '\u001b[33m',
  error: '\u001b[31m',
}
const dim = '\u001b[2m'
const plain = '\u001b[0m'

const reserved = new Set(['level', 'time', 'msg'])

function fieldText(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    const text = terminalText(String(value))
    return /[\s"=]/.test(text) || text === '' ? JSON.stringify(text) : text
  }
  return terminalText(JSON.stringify(value))
}

/** One line of JSON as a person reads it: `12:03:04.512 warn  disk is slow  mount=/ latencyMs=412`. */
export function terminalLine(json: string, isColoured: boolean): string {
  const entry = JSON.parse(json) as Record<string, unknown>
  const level = String(entry['level'])
  const fields = Object.entries(entry).filter(([key]) => !reserved.has(key))
  const { stack } = (entry['error'] ?? {}) as { stack?: unknown }
  const shown = fields.map(([key, value]) => {
    const isError = key === 'error' && typeof value === 'object' && value !== null
    const { name, code, message } = (isError ? value : {}) as Record<string, unknown>
    const words = [code ?? name, message].filter((word) => word !== undefined).map(String)
    return `${terminalText(key)}=${isError ? JSON.stringify(terminalText(words.join(': '))) : fieldText(value)}`
  })
  const time = String(entry['time']).slice(11, 23)
  const colour = (code: string, text: string) => (isColoured && code ? code + text + plain : text)
  const head = `${colour(dim, time)} ${colour(colours[level] ?? '', level.padEnd(5))} ${terminalText(String(entry['msg']))}`
  const tail = shown.length > 0 ? `  ${colour(dim, shown.join(' '))}` : ''
  const trace = typeof stack === 'string' && level === 'error' ? stackLines(stack) : ''
  return `${head}${tail}\n${trace && colour(dim, trace)}`
}

const stackLines = (stack: string) =>
  stack
    .split('\n')
    .slice(1)
    .map((line) => `    ${terminalText(line).trim()}\n`)
    .join('')
