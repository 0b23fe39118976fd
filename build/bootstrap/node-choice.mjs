/** The oldest major version of Node the project itself runs on. */
export const neededNodeMajor = 24

/**
 * Which Node runs the project.
 * @param {{ bundled: string | null, bundledVersion: string | null, running: string, runningVersion: string }} found
 *   `bundled` is the path of the Node in node_modules and `bundledVersion` what it says of itself (null when it does
 *   not run here); `running` is the Node running us. Versions as `process.versions.node`, with or without a `v`.
 * @returns {{ node: string } | { problem: string }}
 */
export function chooseNode({ bundled, bundledVersion, running, runningVersion }) {
  if (bundled && bundledVersion && majorOf(bundledVersion) >= neededNodeMajor) return { node: bundled }
  if (majorOf(runningVersion) >= neededNodeMajor) return { node: running }
  return {
    problem:
      `Pilothouse needs Node ${neededNodeMajor} or newer; this is ${runningVersion}, and the registry's Node ` +
      `${bundled ? 'does not run on' : 'has no build for'} this machine. Install it from https://nodejs.org.`,
  }
}

/** @param {string} version */
export const majorOf = (version) => Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0)
