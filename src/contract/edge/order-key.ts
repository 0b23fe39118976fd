import { localActor, type Actor } from '../model/principal.ts'

/**
 * The key of an order that a person gives to the edge itself, past the engine, with the user of the local system who gave
 * it. It is part of the key, as an edge of any version keeps that whole.
 */
export const localOrderKey = (key: string, user: string): string =>
  user === '' ? key : `${key}@${user.replaceAll(/[^\w.-]/g, '_').slice(0, 64)}`

/** Who gave the order of this key past the engine, as an actor; null where the key does not say. */
export function localOperatorIn(key: string): Actor | null {
  const user = /@([\w.-]+)$/.exec(key)?.[1]
  return user === undefined ? null : { ...localActor, name: `local operator (user ${user})` }
}
