import { targetSuite } from '../target.suite.ts'
import { edgeOffers, openEdge } from './open-edge.ts'

targetSuite('the edge as a target', openEdge, edgeOffers)
