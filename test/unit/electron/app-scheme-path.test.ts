import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerFor, appUrl, isAppUrl } from '../../../electron/app-scheme-path.ts'

const files = new Set(['index.html', 'favicon.svg', 'assets/index-abc.js'])
const answer = (path: string) => answerFor('GET', `pilothouse-app://app${path}`, files)

describe('the app scheme', () => {
  it.each([
    ['/favicon.svg', 'favicon.svg'],
    ['/assets/index-abc.js', 'assets/index-abc.js'],
    ['/assets/index%2Dabc.js', 'assets/index-abc.js'],
    ['/assets/../favicon.svg', 'favicon.svg'],
  ])('gives %s as the file %s of the bundle', (path, file) => {
    expect(answer(path)).toEqual({ kind: 'file', path: file, status: 200 })
  })

  it.each(['/', '/overview', '/host/local', '/host/web1.example.com?range=1h#cpu', '/settings/about'])(
    'gives the page at the address of a screen: %s',
    (path) => {
      expect(answer(path)).toEqual({ kind: 'file', path: 'index.html', status: 200 })
    },
  )

  it.each(['/assets/missing.js', '/.env', '/favicon.ico'])('finds no file at %s', (path) => {
    expect(answer(path)).toEqual({ kind: 'refused', status: 404 })
  })

  it.each([
    '/nonsense/at/all',
    '/api/calls',
    '/etc/passwd',
    '/../../etc/passwd',
    '//etc/passwd',
    '/host/local/further',
    '/assets',
    '/assets/',
  ])('gives the page, as not found, at %s', (path) => {
    expect(answer(path)).toEqual({ kind: 'file', path: 'index.html', status: 404 })
  })

  it.each([
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e%2fetc',
    '/assets%5c..%5cindex.html',
    '/favicon.svg%00.js',
    '/%',
    '/%c0%ae%c0%ae/x',
  ])('refuses %s as no honest request', (path) => {
    const { kind, status } = answer(path) as { kind: string; status: number }
    expect(kind).toBe('refused')
    expect([400, 404]).toContain(status)
  })

  it.each(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('refuses %s: it serves GET only', (method) => {
    expect(answerFor(method, appUrl('/'), files)).toEqual({ kind: 'refused', status: 405 })
  })

  it.each(['pilothouse-app://other/', 'pilothouse-app://app.evil/', 'https://app/', 'file:///index.html'])(
    'refuses what is not the app: %s',
    (url) => {
      expect(isAppUrl(url)).toBe(false)
      expect(answerFor('GET', url, files)).toEqual({ kind: 'refused', status: 400 })
    },
  )

  it('names only files of the bundle, whatever is asked for', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('..', '.', '%2e%2e', '%2f', '%5c', '\\', '%00', 'assets', 'index.html', '~', ':'),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const found = answer(`/${pieces.join('/')}`)
        expect(found.kind === 'refused' || files.has(found.path)).toBe(true)
      }),
    )
  })
})
