import { hostileSuite } from '../router-hostile.suite.ts'
import { routerSuite } from '../router.suite.ts'
import { edgeOffers, openEdge } from './open-edge.ts'

routerSuite('the edge as a router', openEdge, edgeOffers)
hostileSuite('the edge', openEdge)
