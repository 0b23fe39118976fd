import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's own directory, whatever the working directory is. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** @param {...string} parts */
export const inProject = (...parts) => join(root, ...parts)
