import * as z from 'zod'

/** Names of services and releases: they become file names, host names and metric labels. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i,
    'letters, digits, dots, dashes and underscores, at most 63',
  )
