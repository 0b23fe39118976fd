import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { person } from '../support/person.ts'
import { serviceDefinitionSchema, type Release } from '../../src/contract/index.ts'
import { systemClock } from '../../src/adapters/system/index.ts'
import { BinLog, type Attempt } from '../../src/edge/counts/index.ts'
import { EdgeProcess } from '../ports/edge/edge-process.ts'
import { valueOf } from '../ports/platform.ts'
import { Load } from '../support/load.ts'
import { until } from '../support/until.ts'
import { wrk } from '../support/wrk.ts'

const connections = 32
const seconds = 5
const rounds = 3
/** One clock tick of /proc/PID/stat, ms: USER_HZ is 100 on every Linux that Node runs on. */
const tickMs = 10

interface Proxy {
  name: string
  address: string
  pids: () => number[]
}

interface Figures {
  requestsPerSecond: number
  p99Ms: number
  cpuMicrosecondsPerRequest: number
  failedRequests: number
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Processor time used so far, user and system, ms. */
function cpuMs(pids: number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * tickMs
}

/** A process and its children, those it has now. */
function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children]
}

/** One run of wrk against a proxy. */
async function measure({ address, pids }: Proxy): Promise<Figures> {
  const before = cpuMs(pids())
  const { requests, requestsPerSecond, p99Ms, failedRequests } = await wrk(
    `${address}/`,
    connections,
    seconds,
  )
  const usedMs = cpuMs(pids()) - before
  return {
    requestsPerSecond,
    p99Ms,
    cpuMicrosecondsPerRequest: (usedMs * 1000) / requests,
    failedRequests,
  }
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

const medianOf = (all: Figures[]): Figures => ({
  requestsPerSecond: median(all.map((one) => one.requestsPerSecond)),
  p99Ms: median(all.map((one) => one.p99Ms)),
  cpuMicrosecondsPerRequest: median(all.map((one) => one.cpuMicrosecondsPerRequest)),
  failedRequests: all.reduce((sum, one) => sum + one.failedRequests, 0),
})

const answers = async (address: string): Promise<true | undefined> =>
  (await fetch(address).catch(() => null))?.ok || undefined

/** nginx as the server behind every proxy: nothing here is faster, so that the proxy is what is measured. */
function nginxConfig(directory: string, port: number, upstream?: number): string {
  const location = upstream
    ? 'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";'
    : 'return 200 "served\\n";'
  const backend = upstream ? `upstream backend { server 127.0.0.1:${upstream}; keepalive 64; }` : ''
  return `worker_processes 1; daemon off; pid ${directory}/${port}.pid; error_log ${directory}/${port}.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000; client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p;
fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
${backend} server { listen 127.0.0.1:${port} reuseport; location / { ${location} } } }`
}

const haproxyConfig = (port: number, upstream: number): string => `global
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  balance roundrobin
  option forwardfor
  http-reuse always
  server s 127.0.0.1:${upstream}
`

/** The figures of an emergency under load: from the call to the last request that the candidate got, and its reply. */
async function emergency(edge: EdgeProcess, service: string, address: string) {
  const replyMs: number[] = []
  let failedRequests = 0
  let servedLate = 0
  for (let i = 0; i < 30; i++) {
    const { revision } = valueOf(await edge.router.read(service))
    const weights = { r1: 50, r2: 50 }
    const request = {
      service,
      weights,
      fallbackReleaseId: 'r1',
      expectedRevision: revision,
      endsEmergency: true,
    }
    valueOf(await edge.router.set({ ...request, key: `split-${i}` }))
    const load = new Load(address, 8)
    await until('load', () => (load.answered > 100 ? true : undefined))
    const begin = performance.now()
    const [moved] = await edge.router.emergency([{ service, key: `now-${i}` }])
    replyMs.push(performance.now() - begin)
    if (!moved?.ok) throw new Error('the emergency was refused')
    failedRequests += (await load.stop()).failures.length
    const after = await new Load(address, 8, 200).finish()
    servedLate += after.answers.get('r2') ?? 0
  }
  const sorted = replyMs.toSorted((a, b) => a - b)
  return {
    emergencyP50Ms: sorted[15],
    emergencyWorstMs: sorted[29],
    failedRequests,
    servedByCandidateAfterwards: servedLate,
  }
}

/** CPU of counting one request, from its attempt's begin to its place in a bin, µs; alone and over many. */
function countingMicroseconds(): number {
  const clock = systemClock()
  const log = new BinLog(clock, 'bench')
  const requests = 1_000_000
  const count = () => {
    // As many under way at a time as connections, each of one release.
    const open = Array.from({ length: connections }, (_, slot) => log.of(`r${slot % 2}`).begin())
    for (let i = 0; i < requests; i++) {
      const slot = i % connections
      log.of(`r${slot % 2}`).end(open[slot] as Attempt, 'answered')
      open[slot] = log.of(`r${slot % 2}`).begin()
      if (i % 10_000 === 0) log.close(['r0', 'r1'])
    }
  }
  count()
  const before = process.cpuUsage()
  count()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / requests
}

/** What watching a canary costs the edge: the same instances, health checks and split, with and without somebody who looks. */
async function monitoring(edge: EdgeProcess, service: string, proxy: Proxy): Promise<Record<string, number>> {
  const plain: number[] = []
  const watched: number[] = []
  for (let round = 0; round < rounds; round++) {
    plain.push((await measure(proxy)).cpuMicrosecondsPerRequest)
    let cursor: string | null = null
    const looks = setInterval(() => {
      void edge.router.bins(service, cursor).then((page) => (cursor = valueOf(page).cursor))
    }, 1000)
    watched.push((await measure(proxy)).cpuMicrosecondsPerRequest)
    clearInterval(looks)
  }
  const before = cpuMs(proxy.pids())
  const looks = 500
  const { cursor } = valueOf(await edge.router.bins(service, null))
  for (let i = 0; i < looks; i++) valueOf(await edge.router.bins(service, cursor))
  const lookMicroseconds = ((cpuMs(proxy.pids()) - before) * 1000) / looks
  const counting = countingMicroseconds()
  const request = median(plain)
  return {
    microsecondsARequest: request,
    microsecondsARequestWatched: median(watched),
    countingMicrosecondsARequest: counting,
    countingShareOfARequest: counting / request,
    lookMicroseconds,
    /** Of a service that is looked at once a second. */
    lookShareAt100RequestsASecond: lookMicroseconds / (100 * request),
  }
}

/**
 * The edge beside HAProxy and nginx as reverse proxies of one thread each, in turns, before the same nginx, driven by
 * wrk; then what watching a canary adds, and emergencies under load. The medians of three rounds. Linux, with these programs on the PATH.
 */
export async function run() {
  const directory = mkdtempSync(join(tmpdir(), 'pilothouse-bench-'))
  const started: ChildProcess[] = []
  const start = (command: string, args: string[]) => {
    const place = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'].find((at) =>
      existsSync(join(at, command)),
    )
    if (!place) throw new Error(`${command} is not installed`)
    const child = spawn(join(place, command), args, { stdio: 'ignore' })
    started.push(child)
    return child.pid as number
  }
  const [backendPort, nginxPort, haproxyPort] = [await freePort(), await freePort(), await freePort()]
  const nginx = (port: number, upstream?: number) => {
    const path = join(directory, `${port}.conf`)
    writeFileSync(path, nginxConfig(directory, port, upstream))
    return start('nginx', ['-c', path, '-e', join(directory, 'error.log')])
  }
  try {
    nginx(backendPort)
    const nginxPid = nginx(nginxPort, backendPort)
    writeFileSync(join(directory, 'haproxy.cfg'), haproxyConfig(haproxyPort, backendPort))
    const haproxyPid = start('haproxy', ['-db', '-f', join(directory, 'haproxy.cfg')])

    await using edge = await EdgeProcess.start()
    const release = (service: string, id: string, argv: string[]): Release => ({
      service,
      id,
      artifact: { kind: 'command', argv, env: {} },
      parameters: {},
      note: '',
      createdAtMs: 0,
      createdBy: person('bench'),
    })
    const serve = async (service: string, releases: Release[]) => {
      const definition = serviceDefinitionSchema.parse({
        name: service,
        listen: {},
        health: { rise: 1 },
        drainMs: 1000,
      })
      const { address } = valueOf(await edge.router.declare(definition))
      for (const one of releases) {
        const key = `run-${one.id}`
        valueOf(await edge.target.ensure({ service, release: one, instances: 1, key }))
        await until(`${one.id} to be healthy`, async () => {
          const { instances } = valueOf(await edge.target.observe(service))
          return (
            instances.some(({ releaseId, state }) => releaseId === one.id && state === 'healthy') || undefined
          )
        })
      }
      const request = {
        service,
        weights: { r1: 100 },
        fallbackReleaseId: 'r1',
        endsEmergency: false,
        key: 'first',
      }
      valueOf(await edge.router.set({ ...request, expectedRevision: 0 }))
      return address
    }
    // The edge runs its own instance: another nginx with the same configuration, on the port that it is given.
    const template = join(directory, 'instance.sh')
    const text = nginxConfig(directory, 0).replaceAll(/\$/g, '\\$').replace('127.0.0.1:0', '127.0.0.1:$PORT')
    writeFileSync(
      template,
      `#!/bin/sh\ncat > ${directory}/edge-$PORT.conf <<END\n${text.replaceAll(`${directory}/0.`, `${directory}/edge-$PORT.`)}\nEND\n` +
        `exec /usr/sbin/nginx -c ${directory}/edge-$PORT.conf -e ${directory}/error.log\n`,
      { mode: 0o755 },
    )
    const edgeAddress = await serve('fast', [release('fast', 'r1', [template])])
    const watchedAddress = await serve('watched', [
      release('watched', 'r1', [template]),
      release('watched', 'r2', [template]),
    ])
    const edgePid = valueOf(await edge.client.call('status', {})).pid
    const proxies: Proxy[] = [
      { name: 'edge', address: edgeAddress, pids: () => [edgePid] },
      { name: 'haproxy', address: `http://127.0.0.1:${haproxyPort}`, pids: () => [haproxyPid] },
      { name: 'nginx', address: `http://127.0.0.1:${nginxPort}`, pids: () => family(nginxPid) },
    ]
    for (const { name, address } of proxies) await until(`${name} to answer`, () => answers(address))
    const measured = new Map<string, Figures[]>(proxies.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++)
      for (const proxy of proxies) measured.get(proxy.name)?.push(await measure(proxy))

    const watchedProxy = { name: 'watched', address: watchedAddress, pids: () => [edgePid] }
    const { revision } = valueOf(await edge.router.read('watched'))
    valueOf(
      await edge.router.set({
        service: 'watched',
        weights: { r1: 50, r2: 50 },
        fallbackReleaseId: 'r1',
        expectedRevision: revision,
        key: 'canary',
        endsEmergency: false,
      }),
    )
    const monitored = await monitoring(edge, 'watched', watchedProxy)

    const backend = join(import.meta.dirname, '../ports/edge/backend.mjs')
    const node = [process.execPath, backend]
    const shop = await serve('shop', [release('shop', 'r1', node), release('shop', 'r2', node)])
    return {
      ...Object.fromEntries([...measured].map(([name, all]) => [name, medianOf(all)])),
      monitoring: monitored,
      edgeUnderLoad: await emergency(edge, 'shop', shop),
    }
  } finally {
    for (const child of started) child.kill('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  }
}
