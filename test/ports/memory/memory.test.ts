import { routerSuite } from '../router.suite.ts'
import { targetSuite } from '../target.suite.ts'
import { memoryOffers, openMemory } from './open-memory.ts'

targetSuite('the double of the simulations as a target', openMemory, memoryOffers)
routerSuite('the double of the simulations as a router', openMemory, memoryOffers)
