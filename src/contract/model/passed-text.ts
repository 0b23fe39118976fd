import * as z from 'zod'

/** Rules for text that becomes part of a process, a request or a header, and that could not be passed on otherwise. */

const hasNoNul = (text: string): boolean => !text.includes('\0')

/** What `processText` takes, in words. */
export const processTextWords = 'text without a NUL character'

/** An argument, a value in an environment, a path of a file: the system ends each at its first NUL character. */
export const processText = (longest: number) => z.string().max(longest).refine(hasNoNul, processTextWords)

/** A program with its arguments, run without a shell. */
export const argvSchema = z
  .array(processText(10_000))
  .min(1)
  .max(100)
  .refine(([program]) => program !== '', 'a command begins with a program')

/** Variables of a process. */
export const environmentSchema = z
  .record(
    processText(200).regex(/^[^=]+$/, 'the name of an environment variable, without ='),
    processText(10_000),
  )
  .default({})

/** What `requestPathSchema` takes, in words. */
export const requestPathWords =
  'a path that starts with / and holds printable ASCII characters without spaces and #'

/** A path as it stands in the first line of a request, with its query. */
export const requestPathSchema = z.string().regex(/^\/[!"$-~]*$/, requestPathWords)

/** A path with all that a request cannot hold in percent-encoding. */
export const percentEncoded = (path: string): string =>
  path.toWellFormed().replace(/[^!"$-~]/gu, (character) => encodeURIComponent(character))

/** What `isWebAddress` takes, in words. */
export const webAddressWords = 'an http or https address'

/** Whether requests can be sent there: other schemes lead to no server, or to code and files of this machine. */
export const isWebAddress = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text)

/** Name of a header or a cookie. */
export const tokenSchema = z
  .string()
  .max(100)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "a name without spaces: letters, digits, dashes and !#$%&'*+.^_`|~")

/** Value of a header, as it is compared with: receivers take away what surrounds it. */
export const headerValueSchema = z
  .string()
  .max(500)
  .regex(/^([!-~]([ -~]*[!-~])?)?$/, 'printable ASCII characters, with spaces only between them')

/** Value of a cookie: as of a header, and a semicolon ends it. */
export const cookieValueSchema = headerValueSchema.regex(/^[^;]*$/, 'printable ASCII characters without ;')

/** A name or an address to connect to or to listen on. */
export const hostNameSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s\p{Cc}]+$/u, 'a host name or an address')
