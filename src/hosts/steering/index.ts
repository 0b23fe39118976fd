export { steer, type SteeringParts, type Surroundings } from './steer.ts'
export { edgeOrderTaker, takeEdgeOrders } from './take-edge-orders.ts'
