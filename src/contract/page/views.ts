/**
 * The addresses of the screens. Whatever opens a screen from outside (a reload, a link of the system, a notice, a
 * notification) may name only these; a screen checks its own parameters.
 */
const viewPatterns = [
  /^\/$/,
  /^\/(overview|activity)$/,
  /^\/host\/[^/]{1,200}$/,
  /^\/(services|deployments)(\/[^/]{1,200})?$/,
  /^\/settings(\/[a-z-]{1,40})?$/,
]

/** Whether `path` (still percent-encoded, without query) is that of a screen. */
export const isViewPath = (path: string): boolean => viewPatterns.some((pattern) => pattern.test(path))
