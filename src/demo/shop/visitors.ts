import { ask } from './ask.ts'
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
    const { cart } = await ask<{ cart: string }>('POST', `${shop.cart}/items?product=${id}`)
    await ask('POST', `${shop.checkout}/orders?cart=${cart}`)
    tally.ordered += 1
  } catch {
    tally.failed += 1
  }
}
