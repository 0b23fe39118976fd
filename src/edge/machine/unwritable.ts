import { openSync } from 'node:fs'

const codes = new Set(['ENOSPC', 'EROFS', 'EDQUOT', 'EIO', 'EFBIG', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE'])

/** Whether a write failed for a reason that may pass: the disk is full, read-only or failing, or no descriptor is free. */
export const isUnwritable = (failure: unknown): boolean =>
  codes.has((failure as NodeJS.ErrnoException).code ?? '')

/**
 * A descriptor for what a process prints, appended to `path`. A full or read-only disk is no reason not to start it:
 * its output is dropped then.
 */
export function openOutput(path: string): number | 'ignore' {
  try {
    return openSync(path, 'a', 0o600)
  } catch (failure) {
    if (isUnwritable(failure)) return 'ignore'
    throw failure
  }
}
