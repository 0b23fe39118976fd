/** Why the last attempt failed and when the next one is: `No response. Retrying in 1 s.` */
export function retryText(waitMs: number, reason: string): string {
  const cause = reason.trim().replace(/\.$/, '')
  const told = cause === '' ? '' : `${cause.charAt(0).toUpperCase()}${cause.slice(1)}. `
  return `${told}Retrying in ${Math.ceil(waitMs / 1000)}\u00a0s.`
}
