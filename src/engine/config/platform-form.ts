import * as z from 'zod'
import type { PlatformName, Release } from '../../contract/index.ts'
import { heldTo, sectionForm, type Words } from './written.ts'

/** How a config describes the services of one platform. */
export interface PlatformForm<Name extends string = PlatformName> {
  /** The word after `platform:`. */
  name: Name
  /** What its services can set, in the contract's own terms. Its `platform` is the name; the default platform has it as default. */
  settings: z.ZodObject
  /** What each setting means, for a person. */
  words: Words
  releases: {
    form: z.ZodType
    /** A release out of what the form has parsed. */
    read: (written: unknown) => Pick<Release, 'artifact' | 'parameters' | 'note'>
  }
}

/**
 * The section of one service: a form for each platform, told apart by `platform`. The first one is meant where that is not
 * written.
 */
export function serviceFormOf(
  platforms: readonly PlatformForm<string>[],
  common: Readonly<Record<string, z.ZodType>>,
  releaseName: z.ZodString,
): z.ZodType {
  const forms = platforms.map(({ settings, words, releases }, index) => {
    const shape = sectionForm(settings, words).shape as Record<string, z.ZodType>
    const { platform, listen } = shape
    return heldTo(
      z.strictObject({
        ...shape,
        // Not written is a value of its own to the union.
        ...(index === 0 && { platform: platform?.optional() }),
        ...(listen && { listen: listen.prefault({}) }),
        ...common,
        releases: z
          .record(releaseName, releases.form)
          .prefault({})
          .describe('Releases of the service, by name.'),
      }),
      settings,
    )
  })
  return z.discriminatedUnion('platform', forms as never)
}
