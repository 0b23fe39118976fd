import { readCart, withOneMore, writeCart } from './cart.ts'
import { products } from './products.ts'

export interface Answer {
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
    const lines = await ask<{ product: string; count: number }[]>(`${neighbours.cart}/items?cart=${token}`)
    if (!lines) return { status: 502, body: { error: 'the cart service failed' } }
    const prices = await Promise.all(
      lines.map(({ product }) =>
        ask<{ priceCents: number }>(`${neighbours.catalog}/products/${encodeURIComponent(product)}`),
      ),
    )
    if (prices.includes(null)) return { status: 502, body: { error: 'the catalog failed' } }
    const totalCents = lines.reduce((sum, { count }, k) => sum + count * (prices[k]?.priceCents ?? 0), 0)
    return { status: 200, body: { totalCents } }
  }

/** The body of a good answer; null for every other end. */
async function ask<T>(url: string): Promise<T | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) })
    if (answer.ok) return (await answer.json()) as T
    await answer.body?.cancel()
    return null
  } catch {
    return null
  }
}
