import { ok, type Result } from '../../../base/index.ts'
import type { EdgeInstance, EdgeRelease, Instance, Release } from '../../../contract/index.ts'
import type { TargetLogLine, Target, TargetReport } from '../../../engine/platforms/index.ts'
import type { EdgeClient } from './edge-client.ts'
import { edgeDefinition } from './edge-definition.ts'

const nothing = async (call: Promise<Result<unknown>>): Promise<Result<void>> => {
  const result = await call
  return result.ok ? ok(undefined) : result
}

/** The embedded platform as a target. */
export function edgeTarget(client: EdgeClient): Target {
  return {
    declare: (definition) => nothing(client.call('declare', { definition: edgeDefinition(definition) })),
    ensure: ({ service, release, instances, key }) =>
      nothing(client.call('ensure', { service, release: commandRelease(release), instances, key })),
    async observe(service): Promise<Result<TargetReport>> {
      const report = await client.call('observe', { service })
      return report.ok ? ok({ ...report.value, instances: report.value.instances.map(instanceOf) }) : report
    },
    remove: ({ service, releaseId, askedBy, key }) =>
      nothing(
        client.call('remove', { service, releaseId, key, ...(askedBy === undefined ? {} : { askedBy }) }),
      ),
    withdraw: (service) => nothing(client.call('withdraw', { service })),
    restart: (request) => client.call('restart', { ...request, by: request.by.name }),
    logs: (request): Promise<Result<TargetLogLine[]>> => client.call('logs', request),
  }
}

/** The release as an edge runs it: an edge runs commands. */
function commandRelease({ artifact, createdBy, ...release }: Release): EdgeRelease {
  switch (artifact.kind) {
    case 'command':
      return { ...release, artifact, createdBy: createdBy.name }
  }
}

const instanceOf = ({ pid, port, ...instance }: EdgeInstance): Instance => ({
  ...instance,
  address: { kind: 'process', port, pid },
})
