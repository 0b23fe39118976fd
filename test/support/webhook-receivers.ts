import * as z from 'zod'

/** What a receiver answers to a POST: status and body. */
type Receiver = (contentType: string, body: string) => readonly [number, string]

const isJson = (contentType: string) => contentType.split(';')[0]?.trim() === 'application/json'

/** Null for what no JSON parser takes, such as an unescaped control character in a string. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

const hasControlCharacters = (text: string) => /[^\P{Cc}\n]/u.test(text)

const slackSchema = z.object({
  // Slack reads `<`, `>` and `&` as markup unless they are escaped, and cuts texts over 40,000 characters.
  text: z
    .string()
    .trim()
    .min(1)
    .max(40_000)
    .refine((text) => !/[<>]|&(?!(?:amp|lt|gt);)/.test(text) && !hasControlCharacters(text)),
})

const discordSchema = z.object({
  content: z.string().refine((text) => text.trim() !== '' && [...text].length <= 2000 && text.isWellFormed()),
  allowed_mentions: z.object({ parse: z.array(z.enum(['roles', 'users', 'everyone'])) }).optional(),
})

const teamsSchema = z.object({
  type: z.literal('message'),
  attachments: z
    .array(
      z.object({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null().optional(),
        content: z.object({
          type: z.literal('AdaptiveCard'),
          version: z.enum(['1.0', '1.1', '1.2', '1.3', '1.4', '1.5']),
          body: z.array(z.object({ type: z.literal('TextBlock'), text: z.string().trim().min(1) })).min(1),
        }),
      }),
    )
    .min(1),
})

/** Largest message of a Teams workflow or incoming webhook, bytes. */
const largestTeams = 28 * 1024

/** Doubles of the services that take webhooks: each refuses what its documentation says the real one refuses. */
export const receivers = {
  slack: (contentType, body) => {
    if (!isJson(contentType) || parsed(body) === null) return [400, 'invalid_payload']
    return slackSchema.safeParse(parsed(body)).success ? [200, 'ok'] : [400, 'no_text']
  },
  discord: (contentType, body) => {
    if (!isJson(contentType) || parsed(body) === null)
      return [400, '{"message": "Cannot send an empty message", "code": 50006}']
    return discordSchema.safeParse(parsed(body)).success
      ? [204, '']
      : [400, '{"message": "Invalid Form Body", "code": 50035}']
  },
  teams: (contentType, body) => {
    if (Buffer.byteLength(body) > largestTeams) return [413, 'Request Entity Too Large']
    if (!isJson(contentType)) return [400, 'Bad payload received by generic incoming webhook.']
    return teamsSchema.safeParse(parsed(body)).success ? [202, ''] : [400, 'Summary or Text is required.']
  },
  generic: (contentType, body) => {
    const told = parsed(body)
    const isObject = typeof told === 'object' && told !== null
    const { text, reason, link } = (isObject ? told : {}) as Record<string, unknown>
    const isTold = typeof text === 'string' && text !== '' && typeof reason === 'string' && reason !== ''
    const isLinked = link === undefined || (typeof link === 'string' && URL.canParse(link))
    return isJson(contentType) && isTold && isLinked ? [200, 'ok'] : [400, 'bad request']
  },
} satisfies Record<string, Receiver>

export type ReceiverName = keyof typeof receivers
