import * as z from 'zod'

/**
 * How a service goes back:
 * - `stop`: the candidate has no traffic yet; its deployment ends.
 * - `shift`: the stable release takes all traffic from the candidate, at once.
 * - `warm`: the candidate was promoted and the release before it still runs; it takes all traffic back, at once.
 * - `undo`: the release before has stopped. It starts first and takes the traffic when it is healthy.
 */
const wayBackKinds = ['stop', 'shift', 'warm', 'undo'] as const

/** What a person can roll back now, computed by the engine. Every screen, menu and command offers exactly this. */
export const wayBackSchema = z.object({
  kind: z.enum(wayBackKinds),
  /** The release that loses its traffic, or never gets any. */
  from: z.string(),
  /** The release that has all traffic afterwards; null where none serves yet. */
  to: z.string().nullable(),
  /** Share of traffic that `from` has now, percent, as the router reports it. */
  weight: z.number(),
  /** The deployment that ends; null where none is in progress. */
  deploymentId: z.string().nullable(),
  /** What happens, and how long it takes: an undo names what the start of `to` took the last time. A sentence without a period. */
  text: z.string(),
  /** Automation is stopped after an emergency: the undo resumes it, as it needs the engine. Left out where it is not. */
  resumesAutomation: z.boolean().optional(),
})
export type WayBack = z.infer<typeof wayBackSchema>

/** A way back with the service it belongs to. */
export interface ServiceWayBack extends WayBack {
  service: string
  environment: string
}

/** Whether an emergency rollback takes this way; the other is an undo, which starts instances. */
export const isEmergencyWay = ({ kind }: Pick<WayBack, 'kind'>): boolean => kind !== 'undo'

/** The order of an undo, as it was offered. */
export const undoOrder = ({ service, to, resumesAutomation }: ServiceWayBack) => ({
  service,
  ...(to === null ? {} : { releaseId: to }),
  ...(resumesAutomation ? { resumesAutomation } : {}),
})

/** Every way back that the engine offers: emergencies first, most traffic first, then by name. */
export function waysBack(
  services: readonly { name: string; environment: string; wayBack?: WayBack | null | undefined }[],
): ServiceWayBack[] {
  return services
    .flatMap(({ name: service, environment, wayBack }) =>
      wayBack ? [{ ...wayBack, service, environment }] : [],
    )
    .sort(
      (a, b) =>
        Number(isEmergencyWay(b)) - Number(isEmergencyWay(a)) ||
        b.weight - a.weight ||
        a.service.localeCompare(b.service),
    )
}

/** Both releases: `r43 → r42`. */
export const wayBackText = ({ from, to }: Pick<WayBack, 'from' | 'to'>): string =>
  `${from} → ${to ?? 'no release'}`

/** Whether a person typed the word that confirms a dangerous action. Case and surrounding spaces do not matter. */
export const isConfirmedBy = (word: string, typed: string): boolean =>
  typed.trim().toLowerCase() === word.toLowerCase()
