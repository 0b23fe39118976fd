#!/usr/bin/env node
// The command line of a clone: it needs a newer Node than the system may have, and finds the one beside the project.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { existsSync } from 'node:fs'
import { headlessEntry } from './bootstrap/bundle.mjs'
import { findNode } from './bootstrap/find-node.mjs'
import { inProject } from './bootstrap/project.mjs'

const entry = inProject(headlessEntry)
const node = existsSync(entry) ? findNode() : null
if (node === null) {
  if (!existsSync(entry))
    console.error('pilothouse: it is not built yet. Run: npm start, or npm ci && npm run build')
  process.exitCode = 1
} else {
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends its signals to both; what is sent to this process alone is for the command.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.once('error', (failure) => {
    console.error(`pilothouse: ${failure.message}`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0)
  })
}
