export { openBrowser } from './open-browser.ts'
export { serve, type EngineAccess, type Served, type ServeOptions } from './serve.ts'
