import { fork } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** A bench is a file here that exports this; it gives plain data whose names carry their units. */
interface Bench {
  run?: () => unknown
}

const project = join(import.meta.dirname, '../..')
const resultFile = join(project, 'test-results', 'bench.json')

/** The machine a figure was measured on: without it the figure says nothing. */
const machine = () => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryBytes: totalmem(),
  system: `${process.platform} ${release()} ${arch()}`,
  node: process.version,
})

/** In a process of its own, so that no bench pays for the heap or the threads of another. */
function runAlone(name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ['--alone', name], { execArgv: ['--expose-gc'] })
    let result: unknown
    child.once('message', (message) => (result = message))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(result)
      else reject(new Error(`it ended with ${signal ?? `code ${code}`}`))
    })
  })
}

async function alone(name: string) {
  const { run } = (await import(`./${name}.ts`)) as Bench
  if (!run) throw new Error(`test/bench/${name}.ts exports no run()`)
  const result = await run()
  process.send?.(result, () => process.disconnect())
}

/** The figures of a result, one a row; what is nested carries its path. */
function* rowsOf(value: unknown, path = ''): Generator<[string, string]> {
  if (typeof value === 'number') {
    yield [path, Number.isInteger(value) ? value.toLocaleString('en') : value.toPrecision(4)]
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) yield* rowsOf(inner, path ? `${path}.${key}` : key)
  } else if (value !== undefined) yield [path, JSON.stringify(value)]
}

async function all(wanted: string[]) {
  const names = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
    .map((file) => file.slice(0, -'.ts'.length))
  const unknown = wanted.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    console.log(`There is no bench "${unknown}"; there are ${names.join(', ')}.`)
    process.exitCode = 2
    return
  }

  const results: Record<string, unknown> = {}
  for (const name of wanted.length > 0 ? wanted : names) {
    console.log(`\n${name}`)
    try {
      results[name] = await runAlone(name)
      for (const [figure, text] of rowsOf(results[name])) console.log(`  ${figure.padEnd(44)} ${text}`)
    } catch (error) {
      process.exitCode = 1
      console.log(`  failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  mkdirSync(join(project, 'test-results'), { recursive: true })
  const report = { measuredAt: new Date().toISOString(), machine: machine(), results }
  writeFileSync(resultFile, `${JSON.stringify(report, null, 2)}\n`)
  console.log(`\nWritten to ${resultFile}`)
}

const [flag, name] = process.argv.slice(2)
if (flag === '--alone' && name !== undefined) await alone(name)
else await all(process.argv.slice(2))
