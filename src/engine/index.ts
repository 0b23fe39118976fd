export { Engine, type EngineSettings, type Steering } from './engine.ts'
