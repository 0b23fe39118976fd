export { type Inheritance, type Progress, inheritanceSchema, progressSchema } from './inheritance.ts'
export { type Handlers, Platform } from './platform.ts'
export type { Service } from './service.ts'
