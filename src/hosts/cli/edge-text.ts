import type { EdgeOutput } from '../../contract/index.ts'
import { harmless } from './harmless.ts'
import { table } from './layout/index.ts'
import type { Output } from './output.ts'

const columns = [{ heading: 'SERVICE' }, { heading: 'ADDRESS' }, { heading: 'INSTANCES' }]

/** An edge with its warnings first, then its services, for a person. */
export function edgeText(
  directory: string,
  { pid, version, services, trouble = '', damage = '' }: EdgeOutput<'status'>,
  { out }: { out: Output },
): string {
  const warnings = [damage, trouble].filter((text) => text !== '')
  const rows = services.map(({ name, address, instances }) => [
    harmless(name),
    harmless(address),
    String(instances),
  ])
  const layout = { width: out.width, style: (heading: string) => out.style('dim', heading) }
  return [
    `${out.style('bold', 'Edge running')}, version ${version}, pid ${pid}\n`,
    `Directory: ${harmless(directory)}\n`,
    ...warnings.map((text) => `${out.style('bold', 'warning')}: ${harmless(text)}\n`),
    rows.length === 0 ? 'No services. Deploy a release to start one.\n' : `\n${table(columns, rows, layout)}`,
  ].join('')
}
