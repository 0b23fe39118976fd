import { phraseText, type Artifact, type Release } from '../../contract/index.ts'
import { failed, passed, warned, type CheckVerdict } from './model.ts'

/** Where a release carries a secret in clear, and how it shows; never the secret itself. */
interface Leak {
  /** "env DATABASE_PASSWORD", "argument 3". */
  place: string
  /** Completes "holds ...". */
  what: string
  /** Only looks like one: a warning. */
  isGuess: boolean
}

/** Shapes that tokens of well-known issuers have, as those document them. Repetitions are bounded. */
const knownShapes: readonly [string, RegExp][] = [
  ['a private key', /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})/],
  ['a GitLab token', /\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{20,255}/],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10,255}/],
  ['a Slack webhook', /hooks\.slack\.com\/(?:services|workflows)\/[\w/]{20,200}/],
  ['a Stripe key', /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}/],
  ['a Google API key', /\bAIza[\w-]{35}/],
  ['a Google OAuth secret', /\bGOCSPX-[\w-]{20,40}/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}/],
  ['a PyPI token', /\bpypi-AgE[\w-]{50,255}/],
  ['a SendGrid key', /\bSG\.[\w-]{16,32}\.[\w-]{16,64}/],
  ['an Anthropic key', /\bsk-ant-[\w-]{20,255}/],
  ['an OpenAI key', /\bsk-(?:proj|svcacct|admin)-[\w-]{20,255}/],
  ['a Vault token', /\bhv[sbr]\.[\w-]{20,255}/],
  ['a DigitalOcean token', /\bdo[opr]_v1_[a-f0-9]{64}/],
  ['an Azure storage key', /\bAccountKey=[A-Za-z0-9+/]{40,100}={0,2}/i],
  ['a JSON web token', /\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,2000}\.[\w-]{8,1000}/],
  ['a password in an address', /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#@:"']{0,200}:[^\s/?#@"'${}]{3,200}@/i],
]

const secretName =
  /(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[-_.]?key|access[-_.]?key|private[-_.]?key|signing[-_.]?key|encryption[-_.]?key)$|(?:^|[-_.])(?:pass|pwd|auth)$/i

/** Values that say where the secret is, or that there is none. */
const reference =
  /^$|^(?:true|false|yes|no|on|off|none|null|\d{1,9})$|^\$\{?\w+\}?$|^\{[\w-]+\}$|^<[^>]*>$|^(?:env|file|vault|ssm|arn|op):|^(?:\.{1,2}|~)?(?:\/[\w.@-]+){2,}$/i

/** Bits a character. Words and paths stay under 3.9; 24 random characters of 64 have 4.0 to 4.6. */
const randomBits = 4.1

/**
 * Whether a release carries secrets in clear: its arguments, environment and parameters are stored and shown. Values
 * are judged by their name, by the shapes of known tokens and, as a warning only, by how random they look. `allowed`
 * names keys and flags that are known to be none.
 */
export function scanForSecrets(
  { artifact, parameters }: Pick<Release, 'artifact' | 'parameters'>,
  allowed: readonly string[],
): CheckVerdict {
  const leaks = [...inArtifact(artifact, allowed), ...inRecord('parameter', parameters, allowed)]
  const certain = leaks.filter(({ isGuess }) => !isGuess)
  const output = leaks.map(({ place, what }) => `${place} contains ${what}`).join('\n')
  const named = (certain.length > 0 ? certain : leaks)
    .slice(0, 5)
    .map(({ place, what }) => `${place} contains ${what}`)
  if (leaks.length === 0) return passed('Arguments, environment and parameters contain no plain-text secret.')
  if (certain.length > 0)
    return failed(
      `The release contains a plain-text secret: ${named.join('; ')}. Reference where it is stored instead.`,
      output,
    )
  return warned(`Something in the release looks like a secret: ${named.join('; ')}.`, output)
}

function inRecord(
  kind: string,
  values: Readonly<Record<string, string>>,
  allowed: readonly string[],
): Leak[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (allowed.includes(key)) return []
    return leakOf(`${kind} ${nameText(key)}`, key, value)
  })
}

function inArtifact(artifact: Artifact, allowed: readonly string[]): Leak[] {
  switch (artifact.kind) {
    case 'command':
      return [...inArguments(artifact.argv, allowed), ...inRecord('env', artifact.env, allowed)]
  }
}

function inArguments(argv: readonly string[], allowed: readonly string[]): Leak[] {
  return argv.flatMap((argument, index) => {
    const place = `argument ${index + 1}`
    const [, flag, value] = /^--?([\w.-]{1,100})=(.*)$/s.exec(argument) ?? []
    if (flag !== undefined && value !== undefined)
      return allowed.includes(flag) ? [] : leakOf(`${place} (--${nameText(flag)})`, flag, value)
    const flagBefore = /^--([\w.-]{1,100})$/.exec(argv[index - 1] ?? '')?.[1]
    if (flagBefore === undefined || argument.startsWith('-')) return leakOf(place, '', argument)
    return allowed.includes(flagBefore)
      ? []
      : leakOf(`${place} (after --${nameText(flagBefore)})`, flagBefore, argument)
  })
}

function leakOf(place: string, name: string, value: string): Leak[] {
  const shape = knownShapes.find(([, pattern]) => pattern.test(value))
  if (shape) return [{ place, what: shape[0], isGuess: false }]
  if (reference.test(value)) return []
  if (secretName.test(name)) return [{ place, what: 'a value named like a secret', isGuess: false }]
  return looksRandom(value) ? [{ place, what: 'a value that looks random', isGuess: true }] : []
}

/** A name that is itself a token, or that nobody would choose, is not repeated. */
const nameText = (name: string): string =>
  knownShapes.some(([, pattern]) => pattern.test(name)) || looksRandom(name)
    ? '(name hidden)'
    : phraseText(name)

/** Digests and identifiers in hexadecimal are public as a rule, so three kinds of characters are asked for. */
function looksRandom(text: string): boolean {
  const tokens = text.match(/[A-Za-z0-9+/_=-]{24,}/g) ?? []
  return tokens.some(
    (token) =>
      [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(token)) && bitsPerCharacter(token) >= randomBits,
  )
}

/** Shannon's entropy of its characters. */
function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}
