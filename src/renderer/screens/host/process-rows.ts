import type { ProcessInfo } from '../../../contract/index.ts'

export const processSorts = ['cpu', 'memory', 'threads', 'pid', 'name', 'user', 'started'] as const
export type ProcessSort = (typeof processSorts)[number]

export interface ProcessOrder {
  sort: ProcessSort
  isDescending: boolean
}

/** Figures begin with the greatest, names with the first. */
const beginsDescending = (sort: ProcessSort): boolean => !['pid', 'name', 'user'].includes(sort)

/** Reads the order from a query: `memory`, `-memory` for the other way round. The usual is by CPU. */
export function processOrder(text: string | null): ProcessOrder {
  const sort = processSorts.find((name) => name === text?.replace(/^-/, '')) ?? 'cpu'
  const isTurned = text?.startsWith('-') ?? false
  return { sort, isDescending: beginsDescending(sort) !== isTurned }
}

/** The text of an order for the query; null for the usual one. */
export function orderText({ sort, isDescending }: ProcessOrder): string | null {
  const isTurned = beginsDescending(sort) !== isDescending
  if (sort === 'cpu' && !isTurned) return null
  return (isTurned ? '-' : '') + sort
}

/** The order after a click on a heading: the other way round when it was that one already. */
export function nextOrder(order: ProcessOrder, sort: ProcessSort): ProcessOrder {
  if (order.sort === sort) return { sort, isDescending: !order.isDescending }
  return { sort, isDescending: beginsDescending(sort) }
}

/** Those in which each word of the filter occurs, in name, command, user or pid, in the given order. */
export function processRows(
  processes: readonly ProcessInfo[],
  filter: string,
  { sort, isDescending }: ProcessOrder,
): ProcessInfo[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const direction = isDescending ? -1 : 1
  return processes
    .filter(({ pid, name, command, user }) => {
      const text = `${pid} ${name} ${command} ${user}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    .sort((a, b) => compare(a, b, sort) * direction || a.pid - b.pid)
}

function compare(a: ProcessInfo, b: ProcessInfo, sort: ProcessSort): number {
  switch (sort) {
    case 'cpu':
      return a.cpuRatio - b.cpuRatio
    case 'memory':
      return a.memoryBytes - b.memoryBytes
    case 'threads':
      return a.threadCount - b.threadCount
    case 'pid':
      return a.pid - b.pid
    case 'name':
      return a.name.localeCompare(b.name)
    case 'user':
      return a.user.localeCompare(b.user)
    case 'started':
      return a.startedAtMs - b.startedAtMs
  }
}
