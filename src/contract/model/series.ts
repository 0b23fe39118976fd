import * as z from 'zod'

/**
 * Names of what a host reports. Values are gauges, or rates a second made from the system's counters by the
 * sampler, which alone sees their resets. NaN is "not measured".
 */
export const seriesNames = {
  /** all but idle and iowait, of all cores together: 1 is every core busy */
  'cpu.busy': 'ratio',
  'cpu.user': 'ratio',
  'cpu.nice': 'ratio',
  'cpu.system': 'ratio',
  'cpu.iowait': 'ratio',
  'cpu.steal': 'ratio',
  'cpu.irq': 'ratio',
  'cpu.softirq': 'ratio',
  /** time given to virtual machines, also part of user and nice */
  'cpu.guest': 'ratio',
  /** label core */
  'cpu.core.busy': 'ratio',
  'load.1m': 'count',
  'load.5m': 'count',
  'load.15m': 'count',
  /** share of the last second in which some (all) runnable tasks waited */
  'pressure.cpu.some': 'ratio',
  'pressure.memory.some': 'ratio',
  'pressure.memory.full': 'ratio',
  'pressure.io.some': 'ratio',
  'pressure.io.full': 'ratio',
  'pressure.irq.full': 'ratio',
  'memory.total': 'bytes',
  /** total minus available */
  'memory.used': 'bytes',
  'memory.available': 'bytes',
  'memory.free': 'bytes',
  'memory.buffers': 'bytes',
  'memory.cached': 'bytes',
  'memory.dirty': 'bytes',
  'memory.writeback': 'bytes',
  'memory.shared': 'bytes',
  'memory.anonymous': 'bytes',
  'memory.mapped': 'bytes',
  'memory.active': 'bytes',
  'memory.inactive': 'bytes',
  'memory.slab_reclaimable': 'bytes',
  'memory.slab_unreclaimable': 'bytes',
  'memory.kernel_stacks': 'bytes',
  'memory.page_tables': 'bytes',
  'memory.committed': 'bytes',
  'memory.commit_limit': 'bytes',
  'swap.total': 'bytes',
  'swap.used': 'bytes',
  'paging.faults': 'per_second',
  'paging.major_faults': 'per_second',
  /** pages */
  'paging.swap_in': 'per_second',
  'paging.swap_out': 'per_second',
  'paging.read': 'bytes_per_second',
  'paging.written': 'bytes_per_second',
  /** pages looked at to find free memory: by the kernel's own thread, by the programs that wanted it */
  'paging.scanned_in_background': 'per_second',
  'paging.scanned_directly': 'per_second',
  'paging.oom_kills': 'per_second',
  'system.context_switches': 'per_second',
  'system.interrupts': 'per_second',
  'system.forks': 'per_second',
  /** labels mount, device */
  'filesystem.size': 'bytes',
  'filesystem.used': 'bytes',
  'filesystem.available': 'bytes',
  'filesystem.inodes_total': 'count',
  'filesystem.inodes_used': 'count',
  /** label device */
  'disk.read': 'bytes_per_second',
  'disk.written': 'bytes_per_second',
  'disk.reads': 'per_second',
  'disk.writes': 'per_second',
  'disk.busy': 'ratio',
  /** requests in flight, mean over the interval */
  'disk.queue': 'count',
  /** mean time of the requests finished in the interval, 0 when there were none */
  'disk.read_wait': 'seconds',
  'disk.write_wait': 'seconds',
  /** label interface */
  'network.received': 'bytes_per_second',
  'network.sent': 'bytes_per_second',
  'network.packets_received': 'per_second',
  'network.packets_sent': 'per_second',
  'network.receive_errors': 'per_second',
  'network.send_errors': 'per_second',
  'network.receive_drops': 'per_second',
  'network.send_drops': 'per_second',
  'sockets.used': 'count',
  'sockets.tcp_in_use': 'count',
  'sockets.tcp_time_wait': 'count',
  'sockets.tcp_orphaned': 'count',
  'sockets.tcp_allocated': 'count',
  'sockets.tcp_memory': 'bytes',
  'sockets.udp_in_use': 'count',
  'sockets.udp_memory': 'bytes',
  /** the IPv6 ones; the ones above are IPv4 where not of all families */
  'sockets.tcp6_in_use': 'count',
  'sockets.udp6_in_use': 'count',
  'tcp.established': 'count',
  'tcp.opened': 'per_second',
  'tcp.accepted': 'per_second',
  'tcp.failed': 'per_second',
  'tcp.resets': 'per_second',
  'tcp.retransmitted': 'per_second',
  'tcp.segments_received': 'per_second',
  'tcp.segments_sent': 'per_second',
  'tcp.receive_errors': 'per_second',
  'tcp.resets_sent': 'per_second',
  'tcp.listen_overflows': 'per_second',
  'tcp.listen_drops': 'per_second',
  'tcp.timeouts': 'per_second',
  'tcp.syn_cookies_sent': 'per_second',
  'udp.received': 'per_second',
  'udp.sent': 'per_second',
  'udp.no_port': 'per_second',
  'udp.receive_errors': 'per_second',
  'udp.buffer_errors': 'per_second',
  'ip.received': 'per_second',
  'ip.forwarded': 'per_second',
  'ip.discarded': 'per_second',
  'conntrack.entries': 'count',
  'conntrack.limit': 'count',
  'files.open': 'count',
  'files.limit': 'count',
  'processes.count': 'count',
  'processes.running': 'count',
  'processes.blocked': 'count',
  'threads.count': 'count',
  uptime: 'seconds',
  /** label sensor */
  temperature: 'celsius',
} as const

export type SeriesName = keyof typeof seriesNames
export type Unit = (typeof seriesNames)[SeriesName] | 'seconds' | 'celsius'

export const unitSchema = z.enum([
  'ratio',
  'bytes',
  'bytes_per_second',
  'per_second',
  'count',
  'seconds',
  'celsius',
])

/** One stream of (time, value): a name, labels that tell it from its siblings, a unit. */
export const seriesSchema = z.object({
  /** Stable for a host as long as its database lives. */
  id: z.number().int().nonnegative(),
  name: z.string().max(100),
  labels: z.record(z.string().max(100), z.string().max(500)),
  unit: unitSchema,
})
export type Series = z.infer<typeof seriesSchema>
