import type { Balancer } from './candidate.ts'

/** Each in turn, whatever the weights. Instances that come and go keep the turn of the others. */
export function roundRobin(): Balancer {
  let lastId = ''
  return {
    pick(candidates) {
      let first = candidates[0]
      let next: typeof first
      for (const candidate of candidates) {
        if (first && candidate.id < first.id) first = candidate
        if (candidate.id > lastId && (!next || candidate.id < next.id)) next = candidate
      }
      const chosen = next ?? first
      lastId = chosen?.id ?? ''
      return chosen
    },
  }
}
