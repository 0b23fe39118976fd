/** Who may do what: each role may do what the roles before it may, too. */
export const roles = ['viewer', 'responder', 'deployer', 'admin'] as const
export type Role = (typeof roles)[number]

/** Name of the engine in history and audit log, where it acts by itself. */
export const engineActor = 'pilothouse'

/** Who acts. Made by what accepts a connection, never taken from what a caller sends. */
export interface Principal {
  kind: 'operator' | 'engine'
  /** As it stands in history and audit log. */
  name: string
  role: Role
}

/**
 * Somebody at this machine, or with a token or a session of this engine: every right, for now. An account that has the
 * engine's name is told from it.
 */
export const operator = (name: string, role: Role = 'admin'): Principal => ({
  kind: 'operator',
  name: name === engineActor ? `${name} (operator)` : name,
  role,
})
