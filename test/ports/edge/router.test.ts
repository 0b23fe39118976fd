import { hostileSuite } from '../router-hostile.suite.ts'
import { routerSuite } from '../router.suite.ts'
import { openEdge } from './open-edge.ts'

routerSuite('the edge as a router', () => openEdge())
hostileSuite('the edge', () => openEdge())
