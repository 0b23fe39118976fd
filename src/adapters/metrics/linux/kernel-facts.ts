import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import type { HostFacts } from '../../../contract/index.ts'

/** Sizes the kernel tells each program at its start: getauxval(3). */
export interface KernelSizes {
  pageBytes: number
  /** Ticks a second in /proc/PID/stat. */
  ticksPerSecond: number
}

const pageSizeTag = 6
const clockTickTag = 17

/** From the auxiliary vector; what nearly every Linux has where that cannot be read. */
export function readKernelSizes(procRoot: string): KernelSizes {
  const sizes = { pageBytes: 4096, ticksPerSecond: 100 }
  let vector: Buffer
  try {
    vector = readFileSync(join(procRoot, 'self/auxv'))
  } catch {
    return sizes
  }
  const wordBytes = ['arm', 'ia32', 'mips', 'mipsel'].includes(process.arch) ? 4 : 8
  // The low half of a word is enough for these sizes.
  const word = (at: number) =>
    os.endianness() === 'LE' ? vector.readUInt32LE(at) : vector.readUInt32BE(at + wordBytes - 4)
  for (let at = 0; at + 2 * wordBytes <= vector.length; at += 2 * wordBytes) {
    if (word(at) === pageSizeTag) sizes.pageBytes = word(at + wordBytes)
    if (word(at) === clockTickTag) sizes.ticksPerSecond = word(at + wordBytes)
  }
  return sizes
}

/** When the kernel started, UTC epoch ms; NaN where /proc/stat does not say. */
export async function readBootedAtMs(procRoot: string): Promise<number> {
  const text = await readFile(join(procRoot, 'stat'), 'utf8').catch(() => '')
  return Number(/^btime (\d+)$/m.exec(text)?.[1] ?? NaN) * 1000
}

/** What this machine is, without starting a program. */
export async function readLinuxFacts(procRoot: string, nowMs: number): Promise<HostFacts> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const name = /^PRETTY_NAME=(["']?)(.*)\1$/m.exec(release)?.[2]
  const cpus = os.cpus()
  const bootedAtMs = await readBootedAtMs(procRoot)
  return {
    hostname: os.hostname(),
    platform: 'linux',
    osName: name ?? 'Linux',
    kernel: os.release(),
    arch: os.arch(),
    cpuModel: cpus[0]?.model.trim() ?? '',
    coreCount: cpus.length,
    memoryBytes: os.totalmem(),
    bootedAtMs: Number.isNaN(bootedAtMs) ? nowMs - os.uptime() * 1000 : bootedAtMs,
  }
}
