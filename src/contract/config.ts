import * as z from 'zod'

/** One setting of the running config, for a person to read. */
export const configSettingSchema = z.object({
  /** Keys joined by dots: `server.port`. */
  path: z.string(),
  /** As it would be written. Of a secret only where it is kept; empty when there is none. */
  value: z.string(),
  /** `default`, a flag, a variable, or file:line:column. */
  origin: z.string(),
  isDefault: z.boolean(),
  isSecret: z.boolean(),
  description: z.string(),
})
export type ConfigSetting = z.infer<typeof configSettingSchema>
