import type { InstanceRecord } from '../state/index.ts'
import { mayRunAs } from './account.ts'
import type { InstanceOptions } from './instance-options.ts'
import { ManagedProcess } from './managed-process.ts'
import { findByMark, isOfOtherEdge, type Mark } from './process-identity.ts'

/** The process that an earlier edge started for the instance of `record`, and its port; null when it is gone. */
export async function findProcess(
  record: InstanceRecord,
  mark: Mark,
  { clock, definition, edgeDirectory }: Pick<InstanceOptions, 'clock' | 'definition' | 'edgeDirectory'>,
): Promise<{ process: ManagedProcess; port: number } | null> {
  const noted = record.process
  // A copied directory names instances of the edge that it was copied from.
  if (noted && !isOfOtherEdge(noted.pid, edgeDirectory)) {
    const process = await ManagedProcess.adopt(clock, noted.pid, noted.identity)
    if (process) return { process, port: record.port }
  }
  // The start was not written: the edge was killed too early, or the disk was full. Each start has its own port, which
  // tells it apart from leftovers of the recorded process.
  const started = findByMark(mark)
    .filter(({ uid }) => mayRunAs(definition(), uid))
    .map(({ pid, variables }) => ({ pid, port: Number(variables.get('PORT')) }))
    .find(({ port }) => !noted || port !== record.port)
  const process = started ? await ManagedProcess.adopt(clock, started.pid, null) : null
  return started && process ? { process, port: started.port > 0 ? started.port : record.port } : null
}
