export { steer } from './steer.ts'
export { edgeOrderTaker, takeEdgeOrders } from './take-edge-orders.ts'
