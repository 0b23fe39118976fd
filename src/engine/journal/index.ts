export type { Journal, Launch } from './ports.ts'
