import { hiddenText } from '../../contract/index.ts'

type Written = Readonly<Record<string, unknown>>

/** An address of a webhook as it may be shown: where it leads, and nothing that could be its secret. */
export function shownAddress(address: string): string {
  if (!URL.canParse(address)) return hiddenText
  const { origin, pathname, search, hash, username, password } = new URL(address)
  const isPlain = pathname === '/' && [search, hash, username, password].every((part) => part === '')
  return isPlain ? address : `${origin}/${hiddenText}`
}

/** A service as it was written, to be shown to people. */
export const shownService = (written: Written): Written => withAddresses(written, shownAddress)

/**
 * A service that was shown, changed and written again: addresses that stand there as they are shown are those of
 * `before`, where a webhook of the same name has one that shows like this. Others stay, and are refused when they are read.
 */
export function withKnownAddresses(written: Written, before: Written): Written {
  const known = new Map<string, string>()
  withAddresses(before, (address, name) => {
    known.set(`${name} ${shownAddress(address)}`, address)
    return address
  })
  return withAddresses(written, (address, name) => known.get(`${name} ${address}`) ?? address)
}

/** The same with each address of a webhook replaced; what is not in form stays as it is. */
function withAddresses(written: Written, change: (address: string, hook: string) => string): Written {
  const deploy = written['deploy']
  if (!isSection(deploy) || !Array.isArray(deploy['hooks'])) return written
  const hooks = (deploy['hooks'] as unknown[]).map((hook) => {
    if (!isSection(hook) || !isSection(hook['run']) || typeof hook['run']['url'] !== 'string') return hook
    return {
      ...hook,
      run: {
        ...hook['run'],
        url: change(hook['run']['url'], typeof hook['name'] === 'string' ? hook['name'] : ''),
      },
    }
  })
  return { ...written, deploy: { ...deploy, hooks } }
}

const isSection = (value: unknown): value is Written =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
