export { accountFor, accountProblem } from './account.ts'
export { systemClock } from './clock.ts'
export { makePrivateDirectory, makePrivateFile, makePrivateTree, writePrivateFile } from './private-files.ts'
export { systemRng } from './rng.ts'
