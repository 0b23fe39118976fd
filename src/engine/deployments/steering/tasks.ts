import { assertNever, messageOf } from '../../../base/index.ts'
import { engineActor, hookMoment } from '../../../contract/index.ts'
import { outcomeOf } from '../apply.ts'
import type { DeploymentEvent } from '../events.ts'
import type { HookRun } from '../hooks.ts'
import type { DeploymentState, Pause } from '../state.ts'
import { isGoingBack, rollback } from '../state.ts'
import { reasonOf } from '../view.ts'
import type { PipelineParts } from './parts.ts'

interface Running {
  deploymentId: string
  controller: AbortController
}

/**
 * Runs the checks and the hooks of a deployment. Each runs once, and again only after a restart; those that the
 * deployment no longer waits for are aborted.
 */
export class Tasks implements Disposable {
  readonly #parts: PipelineParts
  readonly #done: (deploymentId: string, events: DeploymentEvent[]) => void
  readonly #running = new Map<string, Running>()
  /** How a task ended that a deployment still waits for. It is reported until it is stored. */
  #ended: { key: string; events: DeploymentEvent[] } | null = null

  constructor(parts: PipelineParts, done: (deploymentId: string, events: DeploymentEvent[]) => void) {
    this.#parts = parts
    this.#done = done
  }

  /** Starts what `state` waits for, unless it is paused, and aborts everything else. */
  attend(state: DeploymentState | null): void {
    const wanted = state && wantedTask(state)
    for (const [key, { controller }] of this.#running)
      if (key !== wanted) {
        controller.abort(new Error('it is no longer needed'))
        this.#running.delete(key)
      }
    if (this.#ended?.key !== wanted) this.#ended = null
    if (!state || wanted === null) return
    if (this.#ended) return this.#done(state.id, this.#ended.events)
    if (state.pause || this.#running.has(wanted)) return
    const controller = new AbortController()
    this.#running.set(wanted, { deploymentId: state.id, controller })
    const run = state.pendingHooks[0]
    void (run ? this.#hook(state, run, controller.signal) : this.#validate(state, controller.signal)).then(
      (events) => {
        if (controller.signal.aborted) return
        this.#running.delete(wanted)
        this.#ended = { key: wanted, events }
        this.#done(state.id, events)
      },
    )
  }

  [Symbol.dispose](): void {
    this.attend(null)
  }

  async #validate(state: DeploymentState, signal: AbortSignal): Promise<DeploymentEvent[]> {
    const { stores, validator } = this.#parts
    const startedAt = this.#parts.clock.monotonicMs()
    const broken = (text: string): DeploymentEvent[] => [
      {
        kind: 'validated',
        validation: {
          canDeploy: false,
          results: [
            {
              name: 'validation',
              critical: true,
              outcome: 'failed',
              text,
              output: '',
              durationMs: 0,
              attempts: 1,
            },
          ],
          passed: 0,
          failed: 1,
          warnings: 0,
          durationMs: this.#parts.clock.monotonicMs() - startedAt,
        },
      },
    ]
    try {
      const release = await stores.releases.find(state.service, state.candidateReleaseId)
      if (!release.ok) return broken(`the release cannot be read: ${release.error.message}`)
      const { id, service, stableReleaseId, plan } = state
      const request = { deploymentId: id, service, release: release.value, stableReleaseId, plan }
      const validation = await validator.validate(request, signal)
      if (!validation.ok) return broken(`the checks could not run: ${validation.error.message}`)
      return [{ kind: 'validated', validation: validation.value }]
    } catch (thrown) {
      return broken(`the checks could not run: ${messageOf(thrown)}`)
    }
  }

  async #hook(state: DeploymentState, run: HookRun, signal: AbortSignal): Promise<DeploymentEvent[]> {
    const { hook, key, step } = run
    const { id: deploymentId, service, candidateReleaseId, stableReleaseId, weight } = state
    const { phase, when } = hook
    const context = {
      key,
      deploymentId,
      service,
      candidateReleaseId,
      stableReleaseId,
      phase,
      when,
      stepIndex: step,
      weight,
      ending: isGoingBack(state) ? outcomeOf(state) : null,
      reason: reasonOf(state),
      atMs: this.#parts.clock.nowMs(),
    }
    let isSuccess = false
    let text: string
    try {
      const outcome = await this.#parts.hooks.run(hook, context, signal)
      isSuccess = outcome.ok && outcome.value.isSuccess
      text = outcome.ok ? outcome.value.text : outcome.error.message
    } catch (thrown) {
      text = messageOf(thrown)
    }
    const sentence = `Hook ${hook.name}, ${hookMoment(hook, step)}: ${text}`
    const ended: DeploymentEvent = { kind: 'hookEnded', key, isSuccess, text: sentence }
    return isSuccess ? [ended] : [ended, ...afterFailure(run, state, sentence)]
  }
}

/** What `state` waits for: one task at a time, hooks before the checks they precede. */
function wantedTask(state: DeploymentState): string | null {
  const [hook] = state.pendingHooks
  if (hook) return hook.key
  return state.stage.kind === 'validating' && !state.validation ? `${state.id}:validate` : null
}

/** What follows from a failed hook by its policy; nothing stops a deployment that goes back. */
function afterFailure({ hook }: HookRun, state: DeploymentState, reason: string): DeploymentEvent[] {
  if (isGoingBack(state)) return []
  switch (hook.onFailure) {
    case 'continue':
      return []
    case 'pause':
      return [{ kind: 'paused', by: engineActor, cause: 'hook' satisfies Pause['cause'], reason }]
    case 'rollback':
      return [rollback(reason)]
    default:
      return assertNever(hook.onFailure)
  }
}
