import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { sleep, type Clock } from '../../src/base/index.ts'
import { createLocalMetricSource } from '../../src/adapters/metrics/index.ts'
import { systemClock } from '../../src/adapters/system/index.ts'
import { startExporter } from '../support/node-exporter.ts'
import { peer } from '../support/peers.ts'

/** Long enough for every cadence but the minutely one. */
const seconds = 20
const roundCount = 2
const hotReadings = 5000
const ticksPerSecond = 100

interface SamplerFigures {
  values: number
  /** One reading after another: what the code itself costs. */
  hotCpuMsPerSample: number
  /** At 1 Hz, caches cold: the whole process with its timer, background work and garbage collection. */
  processCpuMsPerSample: number
  /** The same process in the seconds between, woken by the same timer, reading nothing. */
  idleProcessCpuMsPerSecond: number
  /** What sampling adds to a process that is there anyway: the difference of the two. */
  samplingCpuMsPerSample: number
  /** As processCpuMsPerSample, in the first seconds of a process, before the code is compiled. */
  freshCpuMsPerSample: number
  readWallMs: number
}

/**
 * CPU of sampling this machine at 1 Hz beside that of a node_exporter which is scraped at 1 Hz in the same
 * seconds. The sampler has a process of its own, the scraper (this one) costs neither of them anything.
 */
export async function run() {
  const nodeExporter = peer('node-exporter')
  await using exporter = nodeExporter.isMissing ? undefined : await startExporter(nodeExporter.path)
  const sampler = fork(import.meta.filename, ['--sampler'])
  const answer = once(sampler, 'message') as Promise<[SamplerFigures]>
  const ended = new AbortController()
  sampler.once('exit', () => ended.abort(new Error('the sampler has ended')))
  const scraping = exporter && scrapeUntil(exporter, ended.signal)
  const [figures] = await Promise.race([
    answer,
    once(sampler, 'exit').then(([code]) => {
      throw new Error(`the sampler ended with code ${code as number}`)
    }),
  ])
  if (!ended.signal.aborted) await once(sampler, 'exit')
  const peerFigures = await scraping
  return {
    ...figures,
    ...peerFigures,
    ...(peerFigures && {
      timesBelowPeerSampling: peerFigures.nodeExporterCpuMsPerScrape / figures.samplingCpuMsPerSample,
      timesBelowPeerWholeProcess: peerFigures.nodeExporterCpuMsPerScrape / figures.processCpuMsPerSample,
    }),
  }
}

async function scrapeUntil(exporter: Awaited<ReturnType<typeof startExporter>>, signal: AbortSignal) {
  await exporter.scrape()
  const before = await cpuMsOf(exporter.pid)
  let [scrapes, nodeExporterSeries] = [0, 0]
  while (!signal.aborted) {
    await sleep(systemClock(), 1000, signal).catch(() => undefined)
    nodeExporterSeries = (await exporter.scrape()).seriesCount
    scrapes++
  }
  const nodeExporterCpuMsPerScrape = ((await cpuMsOf(exporter.pid)) - before) / scrapes
  return { nodeExporterCpuMsPerScrape, nodeExporterSeries }
}

/** User and system time of a process and its children that have ended. */
async function cpuMsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = [14, 15, 16, 17].reduce((sum, field) => sum + Number(fields[field - 3]), 0)
  return (ticks / ticksPerSecond) * 1000
}

async function sample(): Promise<SamplerFigures> {
  const { platform } = process
  const clock = systemClock()
  const source = createLocalMetricSource({ clock, platform })
  let valueCount = 0
  const read = async () => {
    const reading = await source.read()
    if (!reading.ok) throw reading.error
    valueCount = reading.value.values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0)
  }
  const fresh = await atOneHertz(clock, read)
  const hot = await hotCpuMs(clock, platform)
  // In turns, so that both see the same neighbours on a shared machine.
  const rounds = { sampling: [] as Cost[], idle: [] as Cost[] }
  for (let round = 0; round < roundCount; round++) {
    rounds.sampling.push(await atOneHertz(clock, read))
    rounds.idle.push(await atOneHertz(clock, () => Promise.resolve()))
  }
  const processCpuMs = mean(rounds.sampling.map(({ cpuMs }) => cpuMs))
  const idleCpuMs = mean(rounds.idle.map(({ cpuMs }) => cpuMs))
  await source[Symbol.asyncDispose]()
  return {
    values: valueCount,
    hotCpuMsPerSample: hot,
    processCpuMsPerSample: processCpuMs,
    idleProcessCpuMsPerSecond: idleCpuMs,
    samplingCpuMsPerSample: processCpuMs - idleCpuMs,
    freshCpuMsPerSample: fresh.cpuMs,
    readWallMs: mean(rounds.sampling.map(({ wallMs }) => wallMs)),
  }
}

interface Cost {
  cpuMs: number
  wallMs: number
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Everything the process costs over the seconds, background work between the calls included. */
async function atOneHertz(clock: Clock, act: () => Promise<unknown>): Promise<Cost> {
  let wallMs = 0
  const before = process.cpuUsage()
  for (let second = 0; second < seconds; second++) {
    await sleep(clock, 1000)
    const startedMs = clock.monotonicMs()
    await act()
    wallMs += clock.monotonicMs() - startedMs
  }
  return { cpuMs: cpuMsSince(before) / seconds, wallMs: wallMs / seconds }
}

/** Readings one after another on a clock that claims a second between them, so that cadences stay true. */
async function hotCpuMs(clock: Clock, platform: NodeJS.Platform): Promise<number> {
  let nowMs = 0
  const source = createLocalMetricSource({ clock: { ...clock, monotonicMs: () => nowMs }, platform })
  const readings = async () => {
    for (let i = 0; i < hotReadings; i++) {
      nowMs += 1000
      await source.read()
    }
  }
  await readings()
  const before = process.cpuUsage()
  await readings()
  const cpuMs = cpuMsSince(before) / hotReadings
  await source[Symbol.asyncDispose]()
  return cpuMs
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

if (process.argv.includes('--sampler')) {
  const figures = await sample()
  process.send!(figures, () => process.disconnect())
} else if (import.meta.main) {
  console.table(await run())
}
