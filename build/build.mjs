// `npm run build`: the bundles in dist, always made anew.
import { ensureBuilt } from './bootstrap/bundle.mjs'
import { Children } from './bootstrap/children.mjs'
import { findNode } from './bootstrap/find-node.mjs'
import { ensureInstalled } from './bootstrap/install.mjs'
import { Interrupts } from './bootstrap/interrupt.mjs'

const children = new Children()
new Interrupts({ onStop: () => children.stop(2000), onKill: () => children.kill() }).listen()

const isDone = (await ensureInstalled(children)) && (await build())
process.exitCode = isDone ? 0 : 1

async function build() {
  const node = findNode()
  return node !== null && ensureBuilt(children, node, { isForced: true })
}
