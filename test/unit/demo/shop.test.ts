import { describe, expect, it } from 'vitest'
import { seededRng } from '../../../src/base/index.ts'
import { loadConfig } from '../../../src/engine/config/index.ts'
import { readCart, withOneMore, writeCart } from '../../../src/demo/shop/cart.ts'
import { cart, catalog } from '../../../src/demo/shop/services.ts'
import { traitsOf } from '../../../src/demo/shop/traits.ts'
import { nextArrivalMs } from '../../../src/demo/shop/visitors.ts'
import { demoConfig } from '../../../src/hosts/demo/demo-config.ts'

const at = (path: string) => new URL(path, 'http://shop')

describe('the catalog', () => {
  it('shows the shelf and single products, and nothing else', async () => {
    expect((await catalog('GET', at('/products'))).body).toHaveLength(6)
    expect((await catalog('GET', at('/products/rope'))).body).toMatchObject({ priceCents: 2900 })
    expect((await catalog('GET', at('/products/anchor'))).status).toBe(404)
    expect((await catalog('POST', at('/products'))).status).toBe(404)
  })
})

describe('a cart', () => {
  it('is read by any instance from its token, with one line a product', async () => {
    const first = (await cart('POST', at('/items?product=rope'))).body as { cart: string }
    const second = (await cart('POST', at(`/items?product=rope&cart=${first.cart}`))).body as { cart: string }
    expect((await cart('GET', at(`/items?cart=${second.cart}`))).body).toEqual([
      { product: 'rope', count: 2 },
    ])
  })

  it('refuses a token that is none', async () => {
    expect((await cart('GET', at('/items?cart=bm9uc2Vuc2U'))).status).toBe(400)
    expect(readCart(writeCart([{ product: 'x', count: 100 }]))).toBeNull()
    expect(withOneMore([{ product: 'x', count: 99 }], 'x')).toEqual([{ product: 'x', count: 99 }])
  })
})

describe('visitors', () => {
  it('come as a Poisson process: mean and deviation of the gaps are one over the rate', () => {
    const rng = seededRng(7)
    const gaps = Array.from({ length: 20_000 }, () => nextArrivalMs(20, rng.next()))
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
    expect(mean).toBeGreaterThan(48)
    expect(mean).toBeLessThan(52)
    expect(deviation / mean).toBeGreaterThan(0.95)
    expect(deviation / mean).toBeLessThan(1.05)
  })
})

describe('traits of a release', () => {
  it('refuse what is no number', () => {
    const written = {
      'fail-share': '0.02',
      'slow-share': '0',
      'slow-ms': '0',
      'leak-bytes': '0',
      'ready-after-ms': '0',
      'never-healthy': false,
    }
    expect(traitsOf(written)).toMatchObject({ failShare: 0.02, neverHealthy: false })
    expect(() => traitsOf({ ...written, 'slow-ms': 'long' })).toThrow('--slow-ms')
  })
})

describe("the demo's config", () => {
  const text = demoConfig({
    program: ['node', 'shop.js'],
    ports: { catalog: 4001, cart: 4002, checkout: 4003 },
  })
  const read = loadConfig({
    file: { path: '/demo/pilothouse.yaml', bytes: new TextEncoder().encode(text) },
    variables: {},
    flags: [],
    places: { workingDirectory: '/', home: '/home', dataDirectory: '/var/demo' },
  })
  const config = () => {
    if (!read.ok) throw new Error(read.error.map(({ message }) => message).join('; '))
    return read.value.config
  }

  it('has no mistake, and knows the same releases of all three services', () => {
    const { services } = config()
    expect(services.map(({ definition }) => definition.name)).toEqual(['catalog', 'cart', 'checkout'])
    for (const { definition, releases } of services) {
      expect(releases.map(({ id }) => id)).toEqual([
        'v1',
        'good',
        'errors',
        'slow-tail',
        'memory-leak',
        'never-healthy',
        'slow-start',
      ])
      for (const { artifact } of releases)
        expect(artifact.argv.slice(0, 3)).toEqual(['node', 'shop.js', definition.name])
    }
  })

  it('judges a release within two minutes', () => {
    const { steps = [], progressDeadlineMs = 0 } = config().deploy
    const longest = steps.reduce((sum, { holdMs }) => sum + holdMs, progressDeadlineMs)
    expect(longest).toBeGreaterThan(0)
    expect(longest).toBeLessThan(120_000)
  })
})
