import { scaleStep, scalingAfter, type ScaleRequest } from '../scaling.ts'
import type { DeploymentJournal } from './deployment-journal.ts'
import type { Recorder } from './recorder.ts'

/** Tracks how many instances of the stable release a service's configuration declares, and applies changes. */
export class InstanceCount {
  readonly #journal: DeploymentJournal
  readonly #recorder: Recorder
  #declared: ScaleRequest | null = null

  constructor(journal: DeploymentJournal, recorder: Recorder) {
    this.#journal = journal
    this.#recorder = recorder
  }

  /** The declared number, as declared or stored; null when it is neither. */
  get declared(): number | null {
    return this.#declared?.instances ?? this.#journal.record.scaling?.instances ?? null
  }

  declare(request: ScaleRequest): void {
    this.#declared = request
  }

  /** It is stored before it takes effect, so a restarted engine continues a change that is not finished. */
  async keep(): Promise<void> {
    const { record, open } = this.#journal
    const openIds = open.map(({ id }) => id)
    const scaling = this.#declared && scalingAfter(record, this.#declared, openIds)
    if (scaling) await this.#recorder.append({ record: { scaling } })
  }

  /** Kept for the next tick when it cannot be stored. */
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
