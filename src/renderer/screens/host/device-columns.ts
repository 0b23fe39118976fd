import type { SeriesName, Unit } from '../../../contract/index.ts'
import { seriesNames } from '../../../contract/index.ts'

/** A column of a table of devices: the newest figure of one series of each. */
export interface DeviceColumn {
  series: SeriesName
  label: string
  unit: Unit
  /** Anything but zero is worth a look. */
  isTrouble: boolean
}

const column = (series: SeriesName, label: string, isTrouble = false): DeviceColumn => ({
  series,
  label,
  unit: seriesNames[series],
  isTrouble,
})

export const diskColumns: readonly DeviceColumn[] = [
  column('disk.read', 'read'),
  column('disk.written', 'written'),
  column('disk.reads', 'reads'),
  column('disk.writes', 'writes'),
  column('disk.read_wait', 'read wait'),
  column('disk.write_wait', 'write wait'),
  column('disk.queue', 'in flight'),
  column('disk.busy', 'busy'),
]

export const interfaceColumns: readonly DeviceColumn[] = [
  column('network.received', 'received'),
  column('network.sent', 'sent'),
  column('network.packets_received', 'packets in'),
  column('network.packets_sent', 'packets out'),
  column('network.receive_errors', 'receive errors', true),
  column('network.send_errors', 'send errors', true),
  column('network.receive_drops', 'receive drops', true),
  column('network.send_drops', 'send drops', true),
]
