import type { RouterCapabilities, TargetCapabilities } from '../model/capabilities.ts'

/** What a router can and cannot do for a deployment: sentences for a person, without their full stops. */
export function routerText(router: RouterCapabilities): string[] {
  return [
    router.verifiesWeights
      ? 'Traffic shares are verified: each is read back from the router'
      : 'Traffic shares are not verified: the router cannot report them, so a step counts as done once it is requested',
    ...(router.keepsConnections
      ? []
      : ['Each change of traffic resets client connections: requests in flight may fail']),
    ...(router.countsRequests
      ? []
      : ['No step can be judged: the router does not count the requests of each release']),
    ...(router.routesByHeader
      ? []
      : ['No request can be sent to the candidate by header or cookie: the router decides by share alone']),
    ...(router.webSockets ? [] : ['WebSockets do not work: the router does not pass them on']),
  ]
}

/** What a target cannot do: sentences without their full stops. */
export function targetText(target: TargetCapabilities): string[] {
  return [
    ...(target.scales ? [] : ['Each release has one instance: the platform cannot run more']),
    ...(target.isolatesInstances
      ? []
      : ['Instances are not isolated: they share the files, processes and network of their host']),
  ]
}
