export { demoConfig, demoServices } from './demo-config.ts'
export { endEdge, prepareDemo, type DemoPlace } from './demo-directory.ts'
export { openShop } from './open-shop.ts'
