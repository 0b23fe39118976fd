import { ask } from './ask.ts'
import { readCart, withOneMore, writeCart, type Cart } from './cart.ts'
import { products } from './products.ts'

interface Answer {
  status: number
  body: unknown
}

/** What a service of the shop does with a request. */
export type Handle = (method: string, url: URL) => Promise<Answer>

/** Where checkout finds the other two: at their routers. */
export interface Neighbours {
  cart: string
  catalog: string
}

const notFound: Answer = { status: 404, body: { error: 'there is no such thing' } }

/** `GET /products`, `GET /products/ID`. */
export const catalog: Handle = async (method, { pathname }) => {
  if (method !== 'GET') return notFound
  if (pathname === '/products') return { status: 200, body: products }
  const product = products.find(({ id }) => pathname === `/products/${id}`)
  return product ? { status: 200, body: product } : notFound
}

/** `POST /items?cart=TOKEN&product=ID` gives the cart with one more; `GET /items?cart=TOKEN` what is in it. */
export const cart: Handle = async (method, { pathname, searchParams }) => {
  if (pathname !== '/items') return notFound
  const lines = readCart(searchParams.get('cart') ?? '')
  if (!lines) return { status: 400, body: { error: 'this is no cart' } }
  if (method === 'GET') return { status: 200, body: lines }
  const product = searchParams.get('product') ?? ''
  if (method !== 'POST' || product === '') return notFound
  return { status: 200, body: { cart: writeCart(withOneMore(lines, product)) } }
}

/** `POST /orders?cart=TOKEN`: reads the cart from the cart service, prices from the catalog, and gives the total. */
export const checkout =
  (neighbours: Neighbours): Handle =>
  async (method, { pathname, searchParams }) => {
    if (method !== 'POST' || pathname !== '/orders') return notFound
    const token = encodeURIComponent(searchParams.get('cart') ?? '')
    try {
      const lines = await ask<Cart>('GET', `${neighbours.cart}/items?cart=${token}`)
      const costsCents = await Promise.all(
        lines.map(async ({ product, count }) => {
          const url = `${neighbours.catalog}/products/${encodeURIComponent(product)}`
          return count * (await ask<{ priceCents: number }>('GET', url)).priceCents
        }),
      )
      return { status: 200, body: { totalCents: costsCents.reduce((sum, cents) => sum + cents, 0) } }
    } catch (failure) {
      return { status: 502, body: { error: String(failure) } }
    }
  }
