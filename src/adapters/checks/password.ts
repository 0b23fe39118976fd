import type { Result } from '../../engine/core/index.ts'
import { ok } from '../../engine/core/index.ts'
import { readSecret } from '../config/index.ts'

/** Where a check finds its password; neither is none. */
export interface PasswordPlace {
  passwordEnv?: string | undefined
  passwordFile?: string | undefined
}

/** The password as it stands there now, null where none is named. Fails with the place, never with its content. */
export async function passwordOf({
  passwordEnv,
  passwordFile,
}: PasswordPlace): Promise<Result<string | null>> {
  if (passwordEnv !== undefined) return readSecret({ env: passwordEnv }, process.env)
  return passwordFile === undefined ? ok(null) : readSecret({ file: passwordFile }, process.env)
}
