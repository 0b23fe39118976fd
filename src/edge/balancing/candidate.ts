/** An instance that may take the next request. */
export interface Candidate {
  readonly id: string
  /** Requests it has not answered yet. */
  readonly inFlight: number
  /** Share relative to the others; above 0. It is lowered while an instance fails or has just come up. */
  readonly weight: number
}

/** Chooses among the instances of one release. Keeps only what its own turns need. */
export interface Balancer {
  /** One of `candidates` for a request of the client `key`; undefined only of none. */
  pick<C extends Candidate>(candidates: readonly C[], key: string): C | undefined
}
