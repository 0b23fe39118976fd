import { phraseText } from './untrusted-text.ts'

/** Each kind of limit on a host; what follows `of` or `on` is its mount, sensor or interface. */
const names: Readonly<Record<string, string>> = {
  cpu: 'CPU use',
  memory: 'memory use',
  disk: 'disk',
  inodes: 'inodes on',
  swap: 'swap use',
  cpuPressure: 'CPU pressure',
  memoryPressure: 'memory pressure',
  ioPressure: 'I/O pressure',
  iowait: 'I/O wait',
  steal: 'CPU steal',
  temperature: 'temperature of',
  networkErrors: 'network errors on',
  networkDrops: 'dropped packets on',
}

/** What a limit of a host is on, as a phrase before a figure: `CPU use`, `disk /`, `network errors on eth0`. */
export function limitName({ kind, subject }: { kind: string; subject: string }): string {
  const name = names[kind] ?? kind
  return subject === '' ? name.replace(/ (of|on)$/, '') : `${name} ${phraseText(subject)}`
}
