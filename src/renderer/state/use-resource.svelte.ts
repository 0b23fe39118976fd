import { untrack } from 'svelte'
import type { CallClient } from '../../contract/index.ts'
import { useApp } from './app-context.ts'
import { Resource, type ResourceOptions } from './resource.svelte.ts'

/** A question to the engine as the component has it now; undefined while it has none. */
interface Asking<Question, Answer> extends ResourceOptions {
  question: () => Question | undefined
  load: (calls: CallClient, question: Question) => Promise<Answer>
  /** Asks again as often as this; once when it gives undefined. */
  everyMs?: () => number | undefined
  /** Whatever changes here makes the answer old: asks again. */
  again?: () => unknown
}

/**
 * The answer of the engine to what a component asks, for as long as the component lives: again for another question, and
 * after each reconnection.
 */
export function useResource<Question, Answer>(asking: Asking<Question, Answer>): Resource<Question, Answer> {
  const { link } = useApp()
  const resource = new Resource<Question, Answer>(
    async (question) => asking.load(link.calls, question),
    asking,
  )
  // One question has one identity, however often its parts are computed again.
  const key = $derived(JSON.stringify(asking.question()))
  const everyMs = $derived(asking.everyMs?.())
  const again = $derived(asking.again?.())
  $effect(() => {
    void [link.epoch, key, again]
    const pauseMs = everyMs
    if (link.connection.kind !== 'open') return
    const question = untrack(asking.question)
    if (question === undefined) return
    return untrack(() => resource.start(question, pauseMs))
  })
  return resource
}
