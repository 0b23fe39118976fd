import type { InstanceRecord } from '../state/index.ts'
import { mayRunAs } from './account.ts'
import type { InstanceOptions } from './instance-options.ts'
import { ManagedProcess } from './managed-process.ts'
import { findByMark, isOfOtherEdge, type Mark } from './process-identity.ts'

/** The process that an earlier edge has started for the instance of `record`, and its port; null when it has gone. */
export async function findProcess(
  record: InstanceRecord,
  mark: Mark,
  { clock, definition, edgeDirectory }: Pick<InstanceOptions, 'clock' | 'definition' | 'edgeDirectory'>,
): Promise<{ process: ManagedProcess; port: number } | null> {
  const noted = record.process
  // A directory that was copied names instances of the edge that it was copied from.
  if (noted && !isOfOtherEdge(noted.pid, edgeDirectory)) {
    const process = await ManagedProcess.adopt(clock, noted.pid, noted.identity)
    if (process) return { process, port: record.port }
  }
  // A start that is not on the disk: the edge was killed too early, or the disk took nothing. Each start has a port
  // of its own, which tells it from what the noted process has left behind.
  const started = findByMark(mark)
    .filter(({ uid }) => mayRunAs(definition(), uid))
    .map(({ pid, variables }) => ({ pid, port: Number(variables.get('PORT')) }))
    .find(({ port }) => !noted || port !== record.port)
  const process = started ? await ManagedProcess.adopt(clock, started.pid, null) : null
  return started && process ? { process, port: started.port > 0 ? started.port : record.port } : null
}
