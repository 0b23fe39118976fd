export { Operations, type OperatedService, type OperationsParts } from './operations.ts'
