import { stat } from 'node:fs/promises'

export const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

/** Why nothing can run in a missing directory, as a clause. */
export const missingDirectory = (path: string): string => `working directory ${path} does not exist`
