import * as z from 'zod'

/** Why someone gives an order. */
export const why = z.string().max(2000).default('').describe('Kept in the audit log.')

export const id = z.string().min(1).max(200)

export const hostId = z.string().min(1).max(200).describe('Id of a host; `local` is this machine.')

/** Of the deployment that the person saw; left out, the command holds whatever has happened since. */
export const expectedRevision = z.number().int().nonnegative().nullable().default(null)

/** Of the service that the person saw. */
export const expectedServiceRevision = expectedRevision.describe(
  'Revision of the service as it was seen; if left out, the current one.',
)
