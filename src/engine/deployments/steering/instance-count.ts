import { scaleStep, scalingAfter, type ScaleRequest } from '../scaling.ts'
import type { DeploymentJournal } from './deployment-journal.ts'
import type { Recorder } from './recorder.ts'

/** How many instances of the stable release a service's configuration declares, and the way there. */
export class InstanceCount {
  readonly #journal: DeploymentJournal
  readonly #recorder: Recorder
  #declared: ScaleRequest | null = null

  constructor(journal: DeploymentJournal, recorder: Recorder) {
    this.#journal = journal
    this.#recorder = recorder
  }

  /** As far as it was told or stored; null where it was neither. */
  get declared(): number | null {
    return this.#declared?.instances ?? this.#journal.record.scaling?.instances ?? null
  }

  declare(request: ScaleRequest): void {
    this.#declared = request
  }

  /** Stored before anything follows from it: a restarted engine goes on with a change that is not done. */
  async keep(): Promise<void> {
    const { record, open } = this.#journal
    const openIds = open.map(({ id }) => id)
    const scaling = this.#declared && scalingAfter(record, this.#declared, openIds)
    if (scaling) await this.#recorder.append({ record: { scaling } })
  }

  /** Kept for the next look when the store does not take it. */
  async scale(): Promise<void> {
    const { record, active } = this.#journal
    const { scaling, stableReleaseId, instances: from } = record
    const step = scaleStep(record, active)
    if (!scaling?.pending || step === 'wait') return
    const { instances, pending } = scaling
    const done = { scaling: { instances, pending: null } }
    const details = { releaseId: stableReleaseId, from, to: instances }
    await this.#recorder.append(
      step === 'drop'
        ? { record: done }
        : {
            record: { ...done, instances },
            audit: [this.#recorder.audit(pending.by, 'services.scale', pending.why, details)],
          },
    )
  }
}
