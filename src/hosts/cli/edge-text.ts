import { terminalText, type EdgeOutput } from '../../contract/index.ts'
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
    terminalText(name),
    terminalText(address),
    String(instances),
  ])
  const layout = { width: out.width, style: (heading: string) => out.style('dim', heading) }
  return [
    `${out.style('bold', 'Edge running')}, version ${version}, pid ${pid}\n`,
    `Directory: ${terminalText(directory)}\n`,
    ...warnings.map((text) => `${out.style('bold', 'warning')}: ${terminalText(text)}\n`),
    rows.length === 0 ? 'No services. Deploy a release to start one.\n' : `\n${table(columns, rows, layout)}`,
  ].join('')
}
