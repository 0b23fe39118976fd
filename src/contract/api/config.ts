import * as z from 'zod'
import { timeZoneNames } from '../words/time.ts'
import { procedure } from './procedure.ts'

const configEntriesSchema = z.object({
  file: z.string().nullable(),
  environment: z.string(),
  /** In which zone times are shown, unless the viewer says otherwise. */
  timeZone: z.enum(timeZoneNames).default('local'),
  entries: z.array(
    z.object({
      /** Dotted path of the option. */
      path: z.string(),
      /** As text; secrets are masked. */
      value: z.string(),
      /** `default`, `file pilothouse.yaml:3:7`, `environment PILOTHOUSE_…`, `flag --port`. */
      origin: z.string(),
      isDefault: z.boolean(),
      /** When a change takes effect: at once, after a restart, or not in this program at all. */
      effect: z.enum(['live', 'restart', 'unused']).default('live'),
      /** What holds until a restart, as text; null when `value` does. */
      running: z.string().nullable().default(null),
    }),
  ),
})
export type ConfigEntries = z.infer<typeof configEntriesSchema>

export const config = {
  show: procedure('config.read')
    .route({
      method: 'GET',
      path: '/config',
      summary: 'The effective configuration, each value with its origin',
    })
    .output(configEntriesSchema),
}
