const listCommands = {
  service: 'pilothouse services',
  deployment: 'pilothouse deployments list',
  host: null,
} as const

/** So many names fit into a sentence; more are left to the command that lists them. */
const mostListed = 10

/**
 * Says that a name does not exist, and what does: `There is no service "shpo". Services: cart, shop.` Without `known`,
 * or where that is long, it names the command that lists them.
 */
export function notFoundText(
  kind: keyof typeof listCommands,
  name: string,
  known?: readonly string[],
): string {
  const missing = `There is no ${kind} "${name}".`
  const command = listCommands[kind]
  if (known?.length === 0) return `${missing} There are no ${kind}s yet.`
  if (known && known.length <= mostListed)
    return `${missing} ${kind.charAt(0).toUpperCase()}${kind.slice(1)}s: ${known.toSorted().join(', ')}.`
  return command === null ? missing : `${missing} To list all ${kind}s, run: ${command}`
}
