import { ok, type Result } from '../../base/index.ts'
import { failed, type CheckVerdict } from '../../engine/validation/index.ts'
import { readSecret } from '../config/index.ts'

/** Where a check finds its password; neither is none. */
export interface PasswordPlace {
  passwordEnv?: string | undefined
  passwordFile?: string | undefined
}

/**
 * Runs `use` with the password as it stands there now, null where none is named. A peer may repeat what it was told, as
 * Redis does of a command that it does not know: the password is taken out of what is shown and kept.
 */
export async function withPassword(
  place: PasswordPlace,
  where: string,
  use: (password: string | null) => Promise<CheckVerdict>,
): Promise<CheckVerdict> {
  const password = await passwordOf(place)
  if (!password.ok) return failed(`${where}: ${password.error.message}`)
  const verdict = await use(password.value)
  return password.value === null ? verdict : withoutSecret(verdict, password.value)
}

/** Fails with the place, never with its content. */
async function passwordOf({ passwordEnv, passwordFile }: PasswordPlace): Promise<Result<string | null>> {
  if (passwordEnv !== undefined) return readSecret({ env: passwordEnv }, process.env)
  return passwordFile === undefined ? ok(null) : readSecret({ file: passwordFile }, process.env)
}

function withoutSecret(verdict: CheckVerdict, secret: string): CheckVerdict {
  const masked = (text: string) => text.replaceAll(secret, '••••••')
  return {
    ...verdict,
    text: masked(verdict.text),
    ...(verdict.output === undefined ? {} : { output: masked(verdict.output) }),
  }
}
