export type * from './ports.ts'
export { HostLoop, type HostLoopOptions } from './host-loop.ts'
