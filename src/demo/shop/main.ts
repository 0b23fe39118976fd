import { parseArgs } from 'node:util'
import { seededRng } from '../../base/index.ts'
import { cart, catalog, checkout, type Handle } from './services.ts'
import { startShopServer } from './server.ts'
import { traitOptions, traitsOf } from './traits.ts'
import { nextArrivalMs, visit, type Tally } from './visitors.ts'

// One process of the demo's shop: `shop.js catalog|cart|checkout [traits]`, or `shop.js visitors --per-second N`.
// Where the others are stands in CATALOG_URL, CART_URL and CHECKOUT_URL.

const { values, positionals } = parseArgs({
  options: {
    ...traitOptions,
    'per-second': { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
  allowPositionals: true,
})
const { CATALOG_URL = '', CART_URL = '', CHECKOUT_URL = '', PORT = '0' } = process.env

const services: Readonly<Record<string, Handle>> = {
  catalog,
  cart,
  checkout: checkout({ cart: CART_URL, catalog: CATALOG_URL }),
}
const [role = ''] = positionals
const handle = services[role]
if (handle) await serve(handle)
else if (role === 'visitors') visitors()
else {
  process.stderr.write('usage: shop catalog|cart|checkout|visitors\n')
  process.exit(2)
}

async function serve(handle: Handle): Promise<void> {
  const random = () => Math.random()
  const server = await startShopServer({ handle, traits: traitsOf(values), port: Number(PORT), random })
  const address = server.address()
  process.stdout.write(`${role} listens on ${typeof address === 'object' ? address?.port : ''}\n`)
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })
}

/** An open loop: visitors come whether or not the shop keeps up. Ends with its parent, which holds its input. */
function visitors(): void {
  const rng = seededRng(Number(values.seed))
  const perSecond = Number(values['per-second'])
  const shop = { catalog: CATALOG_URL, cart: CART_URL, checkout: CHECKOUT_URL }
  const tally: Tally = { visits: 0, ordered: 0, failed: 0 }
  let nextAtMs = performance.now()
  const arrive = () => {
    while (nextAtMs <= performance.now()) {
      void visit(shop, () => rng.next(), tally)
      nextAtMs += nextArrivalMs(perSecond, rng.next())
    }
    setTimeout(arrive, Math.max(0, nextAtMs - performance.now()))
  }
  arrive()
  setInterval(() => process.stdout.write(`${JSON.stringify(tally)}\n`), 1000)
  process.stdin.resume().once('end', () => process.exit(0))
}
