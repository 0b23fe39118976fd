import { describe, expect, it } from 'vitest'
import { hookSchema } from '../../../../src/contract/index.ts'
import { readService, shownService, withKnownAddresses } from '../../../../src/engine/config/index.ts'

const address = 'https://anna:pass@hooks.example/services/T0/B0/secret?token=also'

const service = (url: string, name = 'tell') => ({
  drain: '1s',
  deploy: { hooks: [{ name, when: 'after', phase: 'promoting', run: { kind: 'webhook', url } }] },
})

describe('a service with a webhook', () => {
  it('is shown with where it leads and nothing that could be its secret', () => {
    const shown = shownService(service(address))
    expect(shown).toEqual(service('https://hooks.example/••••••'))
    expect(shownService(service('https://hooks.example/'))).toEqual(service('https://hooks.example/'))
  })

  it('stays what it was when it is put back as it was shown, with a change elsewhere', () => {
    const before = service(address)
    const changed = { ...shownService(before), drain: '5s' }
    expect(withKnownAddresses(changed, before)).toEqual({ ...before, drain: '5s' })
  })

  it('takes a new address in the place of the one that is not shown', () => {
    const next = service('https://other.example/services/secret')
    expect(withKnownAddresses(next, service(address))).toEqual(next)
  })

  it.each([
    ['of another host', service('https://other.example/••••••')],
    ['of another webhook', service('https://hooks.example/••••••', 'page')],
  ])('is refused with the address as it is shown %s: nobody knows what is meant', (_, written) => {
    const read = readService('shop', withKnownAddresses(written, service(address)))
    expect(read).toMatchObject({ ok: false, error: { code: 'BAD_INPUT' } })
    expect(read.ok ? '' : read.error.message).toContain('the full address, not the masked one')
  })

  it.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'ftp://hooks.example/',
    'http:hooks.example',
    '/hooks',
  ])('is refused with an address that is not on the web: %s', (url) => {
    const read = readService('shop', service(url))
    expect(read).toMatchObject({ ok: false, error: { code: 'BAD_INPUT' } })
    expect(read.ok ? '' : read.error.message).toContain('an http or https address')
    expect(hookSchema.safeParse(service(url).deploy.hooks[0]).success).toBe(false)
  })

  it('may name where the address is kept, in one place and absolutely', () => {
    const reading = (run: object) =>
      readService('shop', { deploy: { hooks: [{ ...service('').deploy.hooks[0], run }] } })
    expect(reading({ kind: 'webhook', urlEnv: 'TELL_URL' })).toMatchObject({
      value: { deploy: { hooks: [{ run: { kind: 'webhook', urlEnv: 'TELL_URL' } }] } },
    })
    expect(reading({ kind: 'webhook', urlFile: '/run/secrets/tell' }).ok).toBe(true)
    const mistakes: [object, string][] = [
      [{ kind: 'webhook' }, 'set only one of url, urlEnv and urlFile'],
      [{ kind: 'webhook', url: 'https://x.example/', urlEnv: 'A' }, 'set only one of'],
      [{ kind: 'webhook', urlFile: 'tell' }, 'found the path tell, expected an absolute one'],
      [{ kind: 'webhook', urlEnv: 'a b' }, 'the name of an environment variable'],
    ]
    for (const [run, text] of mistakes) {
      const read = reading(run)
      expect(read.ok ? '' : read.error.message).toContain(text)
    }
  })

  it('is left to whoever reads it when it has no form', () => {
    for (const written of [{ deploy: 1 }, { deploy: { hooks: {} } }, { deploy: { hooks: [1, { run: [] }] } }])
      expect(shownService(written)).toEqual(written)
  })
})
