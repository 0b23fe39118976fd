export { edgeKeeper } from './keeper.ts'
export { ensureEdge, type EdgeLaunch, type EdgeProgram } from './launch.ts'
export { edgeDirectory, edgeSocketPath } from './places.ts'
export { runEdge, type EdgeRequest } from './run-edge.ts'
