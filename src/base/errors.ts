/**
 * Every failure that crosses a process boundary, with the text for a person and what to do about it.
 * Screens and tests match on the code, never on the English.
 */
interface ErrorEntry {
  /** HTTP status of the code. */
  status: number
  /** What happened, without the particulars. */
  title: string
  /**
   * What a person can do now, true of every failure with this code: one that passes without help says so itself, in its
   * own remedy.
   */
  action: string
  /** Whether the same call may succeed later unchanged. */
  retryable: boolean
}

const entry = (status: number, title: string, action: string, retryable = false): ErrorEntry => ({
  status,
  title,
  action,
  retryable,
})

export const errorCatalogue = {
  BAD_INPUT: entry(400, 'The request is not valid', 'Correct what the message names, then try again.'),
  UNAUTHENTICATED: entry(
    401,
    'No valid access token',
    'Run `pilothouse open` on the machine where the engine runs, or send its access token.',
  ),
  FORBIDDEN: entry(403, 'Not allowed', 'The message names what is required.'),
  NOT_FOUND: entry(404, 'Not found', 'Check the name that the message shows.'),
  CONFLICT: entry(
    409,
    'The current state does not allow this',
    'Check the current state, then decide again.',
  ),
  TOO_LARGE: entry(413, 'The request is larger than 1 MiB', 'Send less at a time.'),
  RATE_LIMITED: entry(429, 'Too many requests', 'Wait a moment, then try again.', true),
  INTERNAL: entry(500, 'A bug in Pilothouse', 'Report it with the engine log lines from that time.'),
  UNSUPPORTED: entry(
    501,
    'Not supported on this system',
    'See the documentation for what is supported here.',
  ),
  UNAVAILABLE: entry(503, 'Not available', 'Correct what the message names, then try again.', true),
  TIMEOUT: entry(504, 'No answer in time', 'Try again. If it happens again, check the engine log.', true),
  CONFIG_INVALID: entry(
    422,
    'The configuration has errors',
    'Fix them. To list them all, run: pilothouse config check',
  ),
  CONFIG_UNREADABLE: entry(
    422,
    'The configuration file cannot be read',
    'Check the path and its permissions.',
  ),
  NO_HEALTHY_INSTANCE: entry(
    409,
    'No healthy instance could take the traffic',
    'Check the instances and their logs. Traffic stays where it is until an instance is healthy.',
    true,
  ),
  STORE_BUSY: entry(
    503,
    'Another program is using the database',
    'Close the other program, then try again.',
    true,
  ),
  STORE_CORRUPT: entry(
    500,
    'The database is damaged',
    'If the message names a backup, stop the engine and replace the database with it. Without a backup, move the database away; the engine creates a new one.',
  ),
  STORE_TOO_NEW: entry(
    409,
    'The database was written by a newer Pilothouse',
    'Run the newer version, or restore a backup.',
  ),
  STORE_UNWRITABLE: entry(
    503,
    'The database cannot be opened or written',
    'Check the data directory and its permissions.',
    true,
  ),
  STORE_FULL: entry(
    507,
    'No space is left for the database',
    'Free disk space. Recording continues once there is space.',
    true,
  ),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorCatalogue

export const errorCodes = Object.keys(errorCatalogue) as ErrorCode[]
