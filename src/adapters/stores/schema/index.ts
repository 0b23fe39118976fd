export { checkOrder, pendingSteps, type SchemaStep } from './steps.ts'
