/**
 * Every failure that crosses a process boundary, with the text for a person and what to do about it.
 * Screens and tests match on the code, never on the English.
 */
export interface ErrorEntry {
  /** HTTP status of the code. */
  status: number
  /** What happened, without the particulars. */
  title: string
  /** What a person can do now. */
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
  BAD_INPUT: entry(
    400,
    'The request is not of the form it must have',
    'Correct the named field and send it again.',
  ),
  UNAUTHENTICATED: entry(
    401,
    'No valid access token',
    'Open the address that the server printed at its start.',
  ),
  FORBIDDEN: entry(403, 'This is not allowed for you', 'Ask an admin for the role that the message names.'),
  NOT_FOUND: entry(404, 'There is no such thing', 'Check the name; lists show what exists.'),
  CONFLICT: entry(409, 'Somebody else changed this first', 'Look at the newer state, then decide again.'),
  TOO_LARGE: entry(413, 'The request is larger than 1 MiB', 'Send less at a time.'),
  RATE_LIMITED: entry(429, 'Too many requests', 'Wait a moment, then try again.', true),
  INTERNAL: entry(500, 'A defect in Pilothouse', 'Report it with the correlation id shown.'),
  UNSUPPORTED: entry(
    501,
    'This system does not offer that',
    'See the documentation for what is supported here.',
  ),
  UNAVAILABLE: entry(
    503,
    'The engine cannot do this at the moment',
    'It recovers by itself; try again shortly.',
    true,
  ),
  TIMEOUT: entry(504, 'No answer in time', 'Try again; if it goes on, look at the engine log.', true),
  CONFIG_INVALID: entry(
    422,
    'The configuration has mistakes',
    'Correct the lines named, then run: pilothouse config check',
  ),
  CONFIG_UNREADABLE: entry(
    422,
    'The configuration file cannot be read',
    'Check the path and its permissions.',
  ),
  NO_HEALTHY_INSTANCE: entry(
    409,
    'No healthy instance could take the traffic',
    'Look at the instances and their logs; traffic stays where it is until one is healthy.',
    true,
  ),
  STORE_BUSY: entry(
    503,
    'The database is locked by somebody else',
    'Close other programs that hold it.',
    true,
  ),
  STORE_CORRUPT: entry(
    500,
    'The database is damaged',
    'Restore the newest backup beside it; the message names it.',
  ),
  STORE_TOO_NEW: entry(
    409,
    'The database was written by a newer Pilothouse',
    'Start that version, or restore a backup.',
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
    'Free disk space; recording goes on by itself then.',
    true,
  ),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorCatalogue

export const errorCodes = Object.keys(errorCatalogue) as ErrorCode[]
