import { spawn } from 'node:child_process'
import { addressOf, type DemoService } from './demo-config.ts'
import { shopProgram } from './shop-program.ts'

/**
 * Sends visitors to the shop, an open loop of Poisson arrivals, as a process of its own until it is disposed; it ends
 * by itself when this process is gone.
 */
export function sendVisitors(
  ports: Readonly<Record<DemoService, number>>,
  { perSecond, seed }: { perSecond: number; seed: number },
): AsyncDisposable {
  const args = [shopProgram(), 'visitors', '--per-second', String(perSecond), '--seed', String(seed)]
  const child = spawn(process.execPath, args, {
    env: {
      ...process.env,
      CATALOG_URL: addressOf(ports.catalog),
      CART_URL: addressOf(ports.cart),
      CHECKOUT_URL: addressOf(ports.checkout),
    },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    [Symbol.asyncDispose]: () => {
      child.stdin.end()
      return ended
    },
  }
}
