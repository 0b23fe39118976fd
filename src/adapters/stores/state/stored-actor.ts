import { actorNamed, type Actor } from '../../../contract/index.ts'

/** An actor as rows and JSON hold it; a name alone is from before kinds were stored. */
export type StoredActor = Actor | string

export const storedActor = (stored: StoredActor): Actor =>
  typeof stored === 'string' ? actorNamed(stored) : stored

/** JSON of something that an actor has done, as `field` says. Throws when it is damaged. */
export function readDoneBy<T extends object>(json: string, field: 'by' | 'createdBy'): T {
  const done = JSON.parse(json) as T & Partial<Record<typeof field, StoredActor>>
  const actor = done[field]
  return actor === undefined ? done : { ...done, [field]: storedActor(actor) }
}
