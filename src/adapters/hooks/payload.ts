import type { Webhook } from '../../contract/index.ts'
import type { HookContext } from '../../engine/deployments/index.ts'

/** Most characters that Discord takes as the content of a message. */
const longestDiscord = 2000
/** Slack cuts longer texts by itself, in the middle of its markup. */
const longestSlack = 40_000
/** Teams refuses messages over 28 kB; a character may take four bytes, or six escaped. */
const longestTeams = 4000

/** What happened, for a person: one sentence, and the reason of a rollback. */
function hookText(context: HookContext): string {
  const { service, candidateReleaseId, stableReleaseId, phase, when, stepIndex, weight, reason, ending } =
    context
  const occasions: Record<HookContext['phase'], string> = {
    validating: 'its checks',
    staging: 'its instances start',
    stepping: `step ${(stepIndex ?? 0) + 1} (${weight}% of traffic)`,
    promoting: 'its promotion',
    rolling_back:
      ending === 'failed'
        ? 'its failed deployment'
        : stableReleaseId === null
          ? 'its rollback'
          : `its rollback to ${stableReleaseId}`,
  }
  const sentence = `${service}: release ${candidateReleaseId}, ${when} ${occasions[phase]}.`
  return phase === 'rolling_back' && reason !== '' ? `${sentence} Reason: ${reason}` : sentence
}

function outcomeOf({
  phase,
  when,
  ending,
}: HookContext): 'in_progress' | 'promoted' | 'rolled_back' | 'failed' {
  if (when === 'before') return 'in_progress'
  if (phase === 'rolling_back') return ending ?? 'rolled_back'
  return phase === 'promoting' ? 'promoted' : 'in_progress'
}

/** Each placeholder of a template with its value; `link` is empty where nobody knows an address. */
const valuesOf = (context: HookContext, origin: string | null) => ({
  text: hookText(context),
  service: context.service,
  release: context.candidateReleaseId,
  stableRelease: context.stableReleaseId ?? '',
  deployment: context.deploymentId,
  phase: context.phase,
  when: context.when,
  outcome: outcomeOf(context),
  reason: context.reason,
  weight: String(context.weight),
  link:
    origin === null ? '' : new URL(`/deployments/${encodeURIComponent(context.deploymentId)}`, origin).href,
  at: new Date(context.atMs).toISOString(),
})

/** Between the quotes of a JSON string. */
const escaped = (text: string) => JSON.stringify(text).slice(1, -1)

/** Slack reads these three characters as markup. */
const forSlack = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** Escapes may make a text five times as long: it is shortened until it fits. */
function slackText(text: string): string {
  const whole = forSlack(text)
  return whole.length <= longestSlack ? whole : forSlack(shortened(text, longestSlack / 5))
}

/** At most so many characters as a receiver counts them, and never half of one. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most - 1)
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`
}

/** Control characters say nothing to a person, and some receivers refuse them. */
const plain = (text: string) => text.replace(/[^\P{Cc}\n]/gu, ' ').toWellFormed()

/** The JSON that a webhook posts: its own template, or what its receiver documents. */
export function payloadOf({ format, body }: Webhook, context: HookContext, origin: string | null): string {
  const values = valuesOf(context, origin)
  const text = plain(values.link === '' ? values.text : `${values.text}\n${values.link}`)
  if (body !== undefined) {
    const known: Readonly<Record<string, string>> = values
    return body.replace(/\{\{(\w+)\}\}/g, (_all, name: string) => escaped(known[name] ?? ''))
  }
  switch (format) {
    case 'slack':
      return JSON.stringify({ text: slackText(text) })
    case 'discord':
      return JSON.stringify({
        content: shortened(text, longestDiscord),
        allowed_mentions: { parse: [] },
      })
    case 'teams':
      return JSON.stringify({
        type: 'message',
        attachments: [
          {
            contentType: 'application/vnd.microsoft.card.adaptive',
            contentUrl: null,
            content: {
              $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
              type: 'AdaptiveCard',
              version: '1.4',
              body: [{ type: 'TextBlock', text: shortened(text, longestTeams), wrap: true }],
            },
          },
        ],
      })
    case 'generic':
    case undefined: {
      const { link, release, outcome, at } = values
      return JSON.stringify({
        text: values.text,
        ...context,
        release,
        outcome,
        ...(link === '' ? {} : { link }),
        at,
      })
    }
  }
}
