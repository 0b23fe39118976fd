import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where the limits that hold for this process stand: files of the tightest group of its cgroup path. */
export interface CgroupFiles {
  /** Null where no group of the path limits memory. */
  memory: { limit: string; usage: string; stat: string; inactiveFileKey: string; limitBytes: number } | null
  /** Null where no group of the path limits CPU. */
  cpu: { quota: string; period: string | null; usage: string; usageKey: string | null; cores: number } | null
}

/** What version 1 writes for "no limit" is the largest multiple of a page; doubles are exact up to here. */
const unlimited = 2 ** 53

/**
 * Finds the cgroup limits that bound this process. A group's limit holds for all groups below it, so the tightest of
 * the path counts. Read once, at the start; the values of the files found are read again with each sample.
 *
 * Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */
export function findCgroupFiles(procRoot: string, sysRoot: string): CgroupFiles {
  const root = join(sysRoot, 'fs/cgroup')
  const lines = textOf(join(procRoot, 'self/cgroup')).split('\n')
  const pathOf = (isOurs: (controllers: string[]) => boolean): string | undefined => {
    for (const line of lines) {
      const [, controllers = '', ...path] = line.split(':')
      if (path.length > 0 && isOurs(controllers.split(','))) return path.join(':')
    }
    return undefined
  }
  const unified = pathOf(([first]) => first === '')
  const versionTwo = unified === undefined ? noFiles : versionTwoFiles(root, unified)
  const memoryPath = pathOf((controllers) => controllers.includes('memory'))
  const cpuPath = pathOf((controllers) => controllers.includes('cpu'))
  return {
    memory:
      versionTwo.memory ??
      (memoryPath === undefined ? null : versionOneMemory(join(root, 'memory'), memoryPath)),
    cpu: versionTwo.cpu ?? (cpuPath === undefined ? null : versionOneCpu(root, cpuPath)),
  }
}

const noFiles: CgroupFiles = { memory: null, cpu: null }

function versionTwoFiles(root: string, path: string): CgroupFiles {
  const folders = foldersOf(root, path)
  const memory = tightest(folders, (folder) => numberOf(join(folder, 'memory.max')))
  const cpu = tightest(folders, (folder) => coresOf(textOf(join(folder, 'cpu.max'))))
  return {
    memory: memory && {
      limit: join(memory.folder, 'memory.max'),
      usage: join(memory.folder, 'memory.current'),
      stat: join(memory.folder, 'memory.stat'),
      inactiveFileKey: 'inactive_file',
      limitBytes: memory.value,
    },
    cpu: cpu && {
      quota: join(cpu.folder, 'cpu.max'),
      period: null,
      usage: join(cpu.folder, 'cpu.stat'),
      usageKey: 'usage_usec',
      cores: cpu.value,
    },
  }
}

function versionOneMemory(root: string, path: string): CgroupFiles['memory'] {
  const found = tightest(foldersOf(root, path), (folder) => numberOf(join(folder, 'memory.limit_in_bytes')))
  return (
    found && {
      limit: join(found.folder, 'memory.limit_in_bytes'),
      usage: join(found.folder, 'memory.usage_in_bytes'),
      stat: join(found.folder, 'memory.stat'),
      inactiveFileKey: 'total_inactive_file',
      limitBytes: found.value,
    }
  )
}

function versionOneCpu(root: string, path: string): CgroupFiles['cpu'] {
  for (const controller of ['cpu,cpuacct', 'cpu']) {
    const top = join(root, controller)
    const found = tightest(foldersOf(top, path), (folder) => {
      const quota = numberOf(join(folder, 'cpu.cfs_quota_us'))
      return quota > 0 ? quota / numberOf(join(folder, 'cpu.cfs_period_us')) : NaN
    })
    if (!found) continue
    return {
      quota: join(found.folder, 'cpu.cfs_quota_us'),
      period: join(found.folder, 'cpu.cfs_period_us'),
      usage: join(
        controller === 'cpu' ? found.folder.replace(top, join(root, 'cpuacct')) : found.folder,
        'cpuacct.usage',
      ),
      usageKey: null,
      cores: found.value,
    }
  }
  return null
}

/** The group of `path` and those above it. In a container the path may be the host's: then only the root is there. */
function foldersOf(root: string, path: string): string[] {
  const folders = [root]
  // A path that leaves the root of the namespace (`/../x`) names groups that cannot be seen from here.
  if (path.split('/').includes('..')) return folders
  for (let each = path; each !== '/' && each !== '' && each !== '.'; each = dirname(each))
    folders.push(join(root, each))
  return folders
}

/** The folder with the smallest number; null when none has one. */
function tightest(
  folders: readonly string[],
  read: (folder: string) => number,
): { folder: string; value: number } | null {
  let found: { folder: string; value: number } | null = null
  for (const folder of folders) {
    const value = read(folder)
    if (value > 0 && value < unlimited && value < (found?.value ?? Infinity)) found = { folder, value }
  }
  return found
}

/** Cores that a text of cpu.max (`50000 100000`, `max 100000`) allows; NaN without a limit. */
function coresOf(text: string): number {
  const [quota, period] = text.split(/\s+/)
  return Number(quota) / Number(period)
}

const numberOf = (path: string): number => {
  const text = textOf(path)
  return text === '' ? NaN : Number(text)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
