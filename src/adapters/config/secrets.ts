import { AppError, fail, ok, type Result } from '../../base/index.ts'
import type { SecretReference } from '../../engine/config/index.ts'
import { readConfigFile } from './file.ts'

const mostCharacters = 16_384

/**
 * The secret a reference stands for, without the line break editors end files with. Fails with CONFIG_INVALID when
 * there is none, naming the place and never the content.
 */
export async function readSecret(
  reference: SecretReference,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Result<string>> {
  const place = 'env' in reference ? `the variable ${reference.env}` : `the file ${reference.file}`
  const refuse = (why: string) => fail(new AppError('CONFIG_INVALID', `No secret in ${place}: ${why}.`))
  let text: string
  if ('env' in reference) {
    text = variables[reference.env] ?? ''
  } else {
    const read = await readConfigFile(reference.file)
    if (!read.ok) return refuse(read.error[0]?.message ?? 'it cannot be read')
    text = new TextDecoder().decode(read.value.bytes)
  }
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') return refuse('it is empty or not set')
  if (secret.length > mostCharacters) return refuse(`it is longer than ${mostCharacters} characters`)
  return ok(secret)
}
