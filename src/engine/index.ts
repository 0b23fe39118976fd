export { Engine, type EngineParts, type EngineSettings, type Steering } from './engine.ts'
