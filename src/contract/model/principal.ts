import * as z from 'zod'

/** Who may do what: each role may do what the roles before it may, too. */
export const roles = ['viewer', 'responder', 'deployer', 'admin'] as const
export type Role = (typeof roles)[number]

/**
 * What acts: a person or a program with this engine's token or at its machine; the engine itself; the configuration file;
 * someone without credentials. `unrecorded` is of entries from before kinds were stored.
 */
export const actorKinds = ['operator', 'engine', 'configuration', 'unauthenticated', 'unrecorded'] as const

/** Who did something, as history and audit log keep it. */
export const actorSchema = z.object({ kind: z.enum(actorKinds), name: z.string() })
export type Actor = z.infer<typeof actorSchema>

/** Who acts. Made by what accepts a connection, never taken from what a caller sends. */
export interface Principal extends Actor {
  kind: 'operator'
  role: Role
}

/** Where the engine acts by itself. */
export const engineActor: Actor = { kind: 'engine', name: 'pilothouse' }
export const configurationActor: Actor = { kind: 'configuration', name: 'configuration' }
export const unauthenticatedActor: Actor = { kind: 'unauthenticated', name: 'unauthenticated' }
/** Who acts as the user that runs Pilothouse on this machine: nothing tells people apart there. */
export const localActor: Actor = { kind: 'operator', name: 'local' }

/** The actor that a principal is in history and audit log. */
export const actorOf = ({ kind, name }: Principal): Actor => ({ kind, name })

export const isEngine = ({ kind }: Pick<Actor, 'kind'>): boolean => kind === 'engine'

/** The actor of a name that was stored without a kind: names of operators never were the engine's. */
export function actorNamed(name: string): Actor {
  const known = [engineActor, configurationActor].find((actor) => actor.name === name)
  return known ?? { kind: 'operator', name }
}

/**
 * Someone at this machine, or with a token or a session of this engine: every right, for now. An account that has the
 * engine's name is told from it.
 */
export const operator = (name: string, role: Role = 'admin'): Principal => ({
  kind: 'operator',
  name: name === engineActor.name ? `${name} (operator)` : name,
  role,
})
