import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

interface Entry {
  optionalDependencies?: Record<string, string>
  resolved?: string
}

const { packages } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8'),
) as { packages: Record<string, Entry> }

/** Where Node would find `name` from the package at `path`, from the inside outwards. */
function* placesOf(name: string, path: string) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('node_modules/') - 1))) {
    yield `${from ? `${from}/` : ''}node_modules/${name}`
    if (from === '') return
  }
}

describe('package-lock.json', () => {
  // npm writes a lockfile without them when a registry lacks one, and then `npm ci` fails on every machine.
  it('has an entry for the builds of every system, not only of the one it was made on', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => ![...placesOf(name, path)].some((place) => place in packages),
      ),
    )
    expect(missing).toEqual([])
  })

  it('does not tie an install to one registry', () => {
    const elsewhere = Object.values(packages).filter(({ resolved }) => resolved !== undefined)
    expect(elsewhere).toEqual([])
  })
})
