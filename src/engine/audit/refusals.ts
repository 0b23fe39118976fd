import { messageOf, shortened, type Clock, type Log, type Result } from '../../base/index.ts'
import {
  type Actor,
  unauthenticatedActor,
  engineActor,
  errorCatalogue,
  type ErrorCode,
} from '../../contract/index.ts'
import type { AuditDraft } from './chain.ts'

/** An order that was refused or could not be carried out. */
export interface Refusal {
  /** Null when it came without a valid token. */
  actor: Actor | null
  /** The procedure: `deployments.promote`. */
  order: string
  /** A service, as far as it is known. */
  target: string
  code: ErrorCode
  text: string
  /** The reason that was given for the order. */
  why?: string
}

export interface RefusalParts {
  clock: Clock
  log: Log
  append: (drafts: readonly AuditDraft[]) => Promise<Result<void>>
}

/** Repeats within it are counted, and told in one entry at its end. */
const windowMs = 60_000
/** Different refusals in a window that get an entry each: nobody can fill the disk by being refused. */
const mostInWindow = 60
const mostText = 500

/**
 * Puts refused orders on record. The first of its kind (who, what, to what, why not) is on disk when `note` resolves; a
 * failure to write it is logged.
 */
export class RefusalLog {
  readonly #parts: RefusalParts
  readonly #window = new Map<string, { refusal: Refusal; repeats: number }>()
  #others = 0
  #timer: Disposable | null = null

  constructor(parts: RefusalParts) {
    this.#parts = parts
  }

  async note(refusal: Refusal): Promise<void> {
    const { actor, order, target, code } = refusal
    // Who has no token may name any number of targets.
    const key = JSON.stringify([actor?.kind, actor?.name, order, actor === null ? '' : target, code])
    const known = this.#window.get(key)
    if (known) {
      known.repeats++
      return
    }
    this.#timer ??= this.#parts.clock.after(windowMs, () => void this.flush())
    if (this.#window.size >= mostInWindow) {
      this.#others++
      return
    }
    this.#window.set(key, { refusal, repeats: 0 })
    await this.#append([this.#draft(refusal)])
  }

  /** Ends the window: what was only counted is put on record. */
  async flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    const repeated = [...this.#window.values()].filter(({ repeats }) => repeats > 0)
    const others = this.#others
    this.#window.clear()
    this.#others = 0
    const drafts = repeated.map(({ refusal, repeats }) => this.#draft(refusal, repeats))
    if (others > 0)
      drafts.push({
        atMs: this.#parts.clock.nowMs(),
        actor: engineActor,
        action: 'orders.refused',
        target: '',
        why: `${others} more orders of other kinds were refused within a minute.`,
        details: { repeats: others },
      })
    if (drafts.length > 0) await this.#append(drafts)
  }

  #draft({ actor, order, target, code, text, why = '' }: Refusal, repeats?: number): AuditDraft {
    const given = why === '' ? {} : { why: cut(why) }
    const again = repeats === undefined ? {} : { repeats }
    return {
      atMs: this.#parts.clock.nowMs(),
      actor: actor ?? unauthenticatedActor,
      action: 'orders.refused',
      target: cut(target),
      // The text of a defect tells of the program, not of the order.
      why: cut(code === 'INTERNAL' ? errorCatalogue.INTERNAL.title : text),
      details: { order, code, ...given, ...again },
    }
  }

  async #append(drafts: readonly AuditDraft[]): Promise<void> {
    const { log, append } = this.#parts
    try {
      const stored = await append(drafts)
      if (!stored.ok) throw stored.error
    } catch (failure) {
      for (const { actor, target, why, details } of drafts)
        log.warn('a refused order could not be recorded', {
          ...{ actor, target, why, ...details },
          failure: messageOf(failure),
        })
    }
  }
}

const cut = (text: string): string => shortened(text, mostText)
