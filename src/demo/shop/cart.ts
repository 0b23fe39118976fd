import * as z from 'zod'

/** A cart as its bearer holds it: any instance can read one that another made. */
const cartSchema = z.array(
  z.strictObject({ product: z.string().max(50), count: z.number().int().min(1).max(99) }),
)
export type Cart = z.infer<typeof cartSchema>

export const writeCart = (cart: Cart): string => Buffer.from(JSON.stringify(cart)).toString('base64url')

/** The cart of a token, an empty one for an empty token; null when it is none. */
export function readCart(token: string): Cart | null {
  if (token === '') return []
  try {
    return cartSchema.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')))
  } catch {
    return null
  }
}

/** The cart with one more of a product. */
export function withOneMore(cart: Cart, product: string): Cart {
  const present = cart.find((line) => line.product === product)
  return present
    ? cart.map((line) => (line === present ? { product, count: Math.min(99, line.count + 1) } : line))
    : [...cart, { product, count: 1 }]
}
