/** States that have a sign of their own. */
export type MarkKind = 'critical' | 'warning' | 'ok' | 'stale' | 'info'
