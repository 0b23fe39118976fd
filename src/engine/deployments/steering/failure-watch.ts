import { shortened } from '../../../base/index.ts'
import { weightOf, type FailedInstance, type Failure } from '../../../contract/index.ts'
import { within } from '../../core/index.ts'
import { failuresAfter } from '../instance-trouble.ts'
import { isToExplain, type DeploymentState } from '../state.ts'
import type { DeploymentJournal } from './deployment-journal.ts'
import type { Observer } from './observer.ts'
import { answerWithinMs, type PipelineParts, type SteeredService } from './parts.ts'

/** How many of the last log lines of a failed candidate are kept with the deployment. */
const failureLines = 20
const mostInstances = 10
const mostLineCharacters = 1000

/** Collects which instances of a candidate fail, and what they printed before. */
export class FailureWatch {
  readonly #parts: Pick<PipelineParts, 'clock'>
  readonly #service: SteeredService
  readonly #journal: DeploymentJournal
  readonly #observer: Observer
  /** Failed instances, including those that are gone, newest first. */
  #failed: FailedInstance[] = []
  #explained: { deploymentId: string; failure: Failure } | null = null

  constructor(
    parts: Pick<PipelineParts, 'clock'>,
    service: SteeredService,
    journal: DeploymentJournal,
    observer: Observer,
  ) {
    this.#parts = parts
    this.#service = service
    this.#journal = journal
    this.#observer = observer
  }

  /** Why an instance of the candidate failed last; empty when none has. */
  get latestReason(): string {
    return this.#failed[0]?.reason ?? ''
  }

  /** Takes what the target reported last. */
  watch(): void {
    const { active } = this.#journal
    const { target } = this.#observer
    if (!active || active.stage.kind === 'queued' || active.stage.kind === 'validating') this.#failed = []
    else if (target) this.#failed = failuresAfter(this.#failed, active.candidateReleaseId, target)
  }

  /** What was found about the deployment and is not recorded yet. */
  explanationOf({ id }: DeploymentState): Failure | undefined {
    return this.#explained?.deploymentId === id ? this.#explained.failure : undefined
  }

  /** Called once it is recorded. */
  forget(): void {
    this.#explained = null
  }

  /**
   * Reads the output of a failed candidate when it is paused, or when its traffic has returned and its instances still
   * run.
   */
  async explain(): Promise<void> {
    const { active } = this.#journal
    const { router } = this.#observer
    if (!active || !isToExplain(active) || this.explanationOf(active)) return
    if (!active.pause && weightOf(router?.weights ?? {}, active.candidateReleaseId) > 0) return
    const { target, definition } = this.#service
    const releaseId = active.candidateReleaseId
    const lines = await within(this.#parts.clock, answerWithinMs, `the target of ${definition.name}`, () =>
      target.logs({ service: definition.name, releaseId, lines: failureLines }),
    )
    const failure = {
      instances: this.#failed.slice(0, mostInstances),
      lines: lines.ok
        ? lines.value
            .filter((line) => line.releaseId === releaseId)
            .slice(-failureLines)
            .map((line) => ({ ...line, text: shortened(line.text, mostLineCharacters) }))
        : [],
    }
    this.#explained = { deploymentId: active.id, failure }
  }
}
