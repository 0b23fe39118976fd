import { findPeer } from './peers.mjs'
import { root } from './project.mjs'

const isThere = `import('@playwright/test').then(({ chromium }) =>
  process.exit(require('node:fs').existsSync(chromium.executablePath()) ? 0 : 1))`

/**
 * @param {import('./children.mjs').Children} children
 * @param {string} node
 * @returns {Promise<boolean>} True when there is a Chromium for the end-to-end tests: the system's or Playwright's.
 */
export async function hasBrowser(children, node) {
  if (findPeer('chromium')) return true
  const exit = await children.run(node, ['-e', isThere], { cwd: root, onLine: () => {} })
  return exit.code === 0
}
