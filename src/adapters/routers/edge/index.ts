export { edgeRouter } from './edge-router.ts'
