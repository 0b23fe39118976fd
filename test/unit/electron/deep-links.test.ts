import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkIn, viewOfLink } from '../../../electron/deep-links.ts'
import { isViewPath } from '../../../src/contract/index.ts'

describe('links of the system', () => {
  it.each([
    ['pilothouse://overview', '/overview'],
    ['pilothouse://overview/', '/overview'],
    ['pilothouse://host/local', '/host/local'],
    ['pilothouse://host/local?range=1h&paused=1', '/host/local?range=1h&paused=1'],
    ['pilothouse://host/web1.example.com', '/host/web1.example.com'],
    ['pilothouse://settings/about', '/settings/about'],
    ['PILOTHOUSE://overview', '/overview'],
    ['pilothouse://host/local?q=<img src=x>', '/host/local?q=%3Cimg%20src=x%3E'],
  ])('open a screen: %s', (link, view) => {
    expect(viewOfLink(link)).toBe(view)
  })

  it.each([
    ['another scheme', 'https://overview'],
    ['no link at all', 'overview'],
    ['nothing', ''],
    ['an unknown screen', 'pilothouse://rollback/checkout'],
    ['a screen that executes', 'pilothouse://api/calls'],
    ['a screen too deep', 'pilothouse://host/local/processes/kill'],
    ['a user and password', 'pilothouse://user:secret@overview'],
    ['a port', 'pilothouse://overview:80'],
    ['a fragment', 'pilothouse://overview#x'],
    ['an escaped slash', 'pilothouse://host/a%2Fb'],
    ['an escaped line end', 'pilothouse://host/a%0Ab'],
    ['an escaped zero', 'pilothouse://host/a%00b'],
    ['escaped dots', 'pilothouse://host/%2e%2e'],
    ['a broken escape', 'pilothouse://host/a%zz'],
    ['markup', 'pilothouse://host/<script>'],
    ['a quote in the query', "pilothouse://host/local?q='"],
    ['a script', 'javascript:alert(1)'],
    ['a very long one', `pilothouse://host/${'a'.repeat(3000)}`],
  ])('are ignored when they hold %s', (_what, link) => {
    expect(viewOfLink(link)).toBeUndefined()
  })

  it('lead to known screens only, whatever is sent', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('host', 'local', 'settings', '..', '%2e', '%2F', '@', ':'),
    )
    const text = fc.array(piece).map((pieces) => pieces.join('/'))
    fc.assert(
      fc.property(text, fc.string(), (path, query) => {
        const view = viewOfLink(`pilothouse://${path}?${query}`)
        if (view !== undefined) expect(isViewPath(view.split('?', 1)[0] ?? '')).toBe(true)
      }),
    )
  })

  it('are found among the arguments of a start', () => {
    expect(linkIn(['pilothouse', '--flag', 'pilothouse://overview'])).toBe('pilothouse://overview')
    expect(linkIn(['pilothouse', '/home/user/pilothouse.yaml'])).toBeUndefined()
  })
})
