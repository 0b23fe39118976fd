export { engineCalls, type EngineCalls } from './engine.ts'
export { registerOperations } from './register.ts'
