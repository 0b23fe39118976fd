import { shortened } from '../../base/index.ts'
import { weightText, type Webhook } from '../../contract/index.ts'
import type { HookContext } from '../../engine/deployments/index.ts'

/** Most characters that Discord takes as the content of a message. */
const longestDiscord = 2000
/** Slack cuts longer texts by itself, in the middle of its markup. */
const longestSlack = 40_000
/** Teams refuses messages over 28 kB; a character may take four bytes, or six escaped. */
const longestTeams = 4000

/** What happened, as a sentence, and the reason for a rollback. */
function hookText(context: HookContext): string {
  const { phase, reason } = context
  const sentence = `${context.service}: ${occurrence(context)}.`
  return phase === 'rolling_back' && reason !== '' ? `${sentence} Reason: ${reason}` : sentence
}

/** What happens to the release, as a clause about it. */
function occurrence(context: HookContext): string {
  const { candidateReleaseId: release, stableReleaseId: stable, when, stepIndex, weight, ending } = context
  const isBefore = when === 'before'
  switch (context.phase) {
    case 'validating':
      return isBefore ? `the checks of ${release} are starting` : `the checks of ${release} have finished`
    case 'staging':
      return isBefore ? `instances of ${release} are starting` : `the instances of ${release} are healthy`
    case 'stepping': {
      const step = `step ${(stepIndex ?? 0) + 1}`
      const share = `it has ${weightText(weight)} of the traffic`
      return isBefore
        ? `${step} of ${release} is starting; ${share}`
        : `${step} of ${release} is over; ${share}`
    }
    case 'promoting':
      return isBefore ? `${release} is being promoted` : `${release} is promoted and has all traffic`
    case 'rolling_back': {
      if (ending === 'failed') return `the deployment of ${release} failed before it had traffic`
      const back = stable === null ? '' : ` to ${stable}`
      return isBefore ? `${release} is being rolled back${back}` : `${release} was rolled back${back}`
    }
  }
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
