/** How long a failed download of Electron is remembered, so that the next start does not wait for it again. */
export const rememberFailureMs = 24 * 60 * 60 * 1000

/**
 * @typedef {object} ShellFacts
 * @property {'desktop' | 'headless' | null} wanted What the person asked for.
 * @property {string} platform As in `process.platform`.
 * @property {boolean} isRoot
 * @property {boolean} hasDisplay A graphical session is reachable.
 * @property {boolean} isBuilt The desktop shell's bundle is there.
 * @property {boolean} hasElectron Electron's binary is there, of the right version.
 * @property {{ version: string, atMs: number } | null} failure The last download that failed.
 * @property {string} electronVersion The version the project needs.
 * @property {boolean} isFetchForced
 * @property {number} nowMs UTC epoch, milliseconds.
 */

/**
 * Whether the desktop shell or the headless host opens.
 * @param {ShellFacts} facts
 * @returns {{ open: 'desktop' } | { open: 'fetch' } | { open: 'headless', because: string | null }} `fetch`: the
 *   desktop, once Electron's binary has been fetched. `because` is for the person, null when they asked for it.
 */
export function chooseShell(facts) {
  if (facts.wanted === 'headless') return { open: 'headless', because: null }
  if (!facts.isBuilt) return headless('this build has no desktop shell')
  if (facts.platform === 'linux' && !facts.hasDisplay) return headless('there is no graphical display')
  if (facts.platform === 'linux' && facts.isRoot) {
    return headless(
      'as root Electron would have to run without its sandbox; start as an ordinary user for the desktop',
    )
  }
  if (facts.hasElectron) return { open: 'desktop' }
  const { failure } = facts
  const isRemembered =
    failure !== null &&
    failure.version === facts.electronVersion &&
    facts.nowMs >= failure.atMs &&
    facts.nowMs - failure.atMs < rememberFailureMs
  if (isRemembered && !facts.isFetchForced) {
    return headless('Electron could not be fetched lately; PILOTHOUSE_FETCH_ELECTRON=1 tries again')
  }
  return { open: 'fetch' }
}

/** @param {string} because @returns {{ open: 'headless', because: string }} */
const headless = (because) => ({ open: 'headless', because })
