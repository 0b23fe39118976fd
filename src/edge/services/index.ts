export { type Inheritance, type Progress, inheritanceSchema, progressSchema } from './inheritance.ts'
export { type Handlers, Platform, type PlatformOptions } from './platform.ts'
export type { Service } from './service.ts'
