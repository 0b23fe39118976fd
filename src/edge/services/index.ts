export { type Inheritance, type Progress, inheritanceSchema, progressSchema } from './inheritance.ts'
export { type Handlers, EdgeServices } from './edge-services.ts'
export type { Service } from './service.ts'
