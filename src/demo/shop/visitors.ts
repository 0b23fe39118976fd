import { products } from './products.ts'

export interface Shop {
  catalog: string
  cart: string
  checkout: string
}

export interface Tally {
  visits: number
  /** Visits that ended with an order, and those that something failed in. */
  ordered: number
  failed: number
}

/**
 * Time to the next arrival, ms: exponential, so that arrivals are a Poisson process of `perSecond`. `random` is
 * uniform in [0, 1).
 */
export const nextArrivalMs = (perSecond: number, random: number): number =>
  (-Math.log(1 - random) / perSecond) * 1000

/**
 * One visitor: looks at the shelf and at one product, puts it into a cart, and orders it. Never rejects; a visit that
 * something failed in is over.
 */
export async function visit(shop: Shop, random: () => number, tally: Tally): Promise<void> {
  tally.visits += 1
  const { id } = products[Math.floor(random() * products.length)] ?? { id: '' }
  try {
    await ask('GET', `${shop.catalog}/products`)
    await ask('GET', `${shop.catalog}/products/${id}`)
    const { cart } = (await ask('POST', `${shop.cart}/items?product=${id}`)) as { cart: string }
    await ask('POST', `${shop.checkout}/orders?cart=${cart}`)
    tally.ordered += 1
  } catch {
    tally.failed += 1
  }
}

async function ask(method: string, url: string): Promise<unknown> {
  const answer = await fetch(url, { method, signal: AbortSignal.timeout(10_000) })
  const body: unknown = await answer.json()
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
  return body
}
