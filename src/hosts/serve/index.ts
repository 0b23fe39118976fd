export { openBrowser } from './open-browser.ts'
export { serve, type Served, type ServeOptions } from './serve.ts'
