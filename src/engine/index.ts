export { Engine, type EngineParts, type EngineSettings } from './engine.ts'
