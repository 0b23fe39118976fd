import { describe, expect, it } from 'vitest'
import { explainInstallFailure, installDecision, lockStamp } from '../../../build/bootstrap/lock.mjs'

type Packages = Record<string, object>

const wanted: Packages = {
  '': { name: 'house' },
  'node_modules/brick': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/crane-linux': {
    version: '2.0.0',
    integrity: 'sha512-b',
    optional: true,
    os: ['linux'],
    cpu: ['x64'],
  },
  'node_modules/crane-mac': { version: '2.0.0', integrity: 'sha512-c', optional: true, os: ['darwin'] },
  'node_modules/crane-musl': {
    version: '2.0.0',
    optional: true,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['musl'],
  },
  'node_modules/hook': { version: '3.0.0', integrity: 'sha512-d', optional: true },
}
const { 'node_modules/crane-mac': _mac, 'node_modules/crane-musl': _musl, '': _root, ...onLinux } = wanted

const lock = (packages: Packages) => JSON.stringify({ lockfileVersion: 3, packages })
const facts = {
  lockText: lock(wanted),
  installedLockText: lock(onLinux) as string | null,
  stampText: null as string | null,
  isLink: false,
  platform: 'linux',
  arch: 'x64',
  libc: 'glibc' as string | null,
}

describe('whether packages are installed', () => {
  it('installs when node_modules is missing, also where an old stamp was left', () => {
    expect(installDecision({ ...facts, installedLockText: null })).toBe('install')
    expect(installDecision({ ...facts, installedLockText: null, stampText: lockStamp(facts) })).toBe(
      'install',
    )
  })

  it('does nothing when the stamp is of this lockfile', () => {
    expect(installDecision({ ...facts, stampText: lockStamp(facts) })).toBe('current')
  })

  it('takes over what a person installed with npm itself', () => {
    expect(installDecision(facts)).toBe('adopt')
  })

  it('does not mistake the line ends of a Windows checkout for a change', () => {
    const lockText = JSON.stringify(JSON.parse(facts.lockText), null, 2)
    const stampText = lockStamp({ ...facts, lockText })
    const checkedOut = lockText.replace(/\n/g, '\r\n')
    expect(installDecision({ ...facts, lockText: checkedOut, stampText })).toBe('current')
  })

  it.each<[string, Packages]>([
    ['a version differs', { ...onLinux, 'node_modules/brick': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['a content differs', { ...onLinux, 'node_modules/brick': { version: '1.0.0', integrity: 'sha512-z' } }],
    ['a package is missing', { 'node_modules/crane-linux': onLinux['node_modules/crane-linux'] ?? {} }],
    ['the build for this machine is missing', { 'node_modules/brick': onLinux['node_modules/brick'] ?? {} }],
    ['there is one too many', { ...onLinux, 'node_modules/moss': { version: '1.0.0' } }],
  ])('installs when %s', (_why, installed) => {
    expect(installDecision({ ...facts, installedLockText: lock(installed) })).toBe('install')
  })

  it('minds the C library: the one build for it must be there, the other may be missing', () => {
    expect(installDecision({ ...facts, libc: 'musl' })).toBe('install')
    expect(installDecision({ ...facts, libc: null })).toBe('adopt')
  })

  it('installs anew in a directory that another kind of machine had filled', () => {
    const stampText = lockStamp({ ...facts, platform: 'darwin', arch: 'arm64' })
    expect(installDecision({ ...facts, stampText })).toBe('install')
  })

  it('installs when what npm noted is cut off', () => {
    expect(installDecision({ ...facts, installedLockText: '{"packages": {"node_mod' })).toBe('install')
  })

  it('never installs through a link into somebody else’s directory', () => {
    expect(installDecision({ ...facts, installedLockText: null, isLink: true })).toBe('link')
  })
})

describe('help after a failed install', () => {
  it.each([
    ['npm error code ENOSPC', 'disk is full'],
    ['npm ERR! code EACCES', 'permission'],
    ['npm error code EAI_AGAIN', 'cannot be reached'],
    ['npm error code SELF_SIGNED_CERT_IN_CHAIN', 'certificate'],
    ['npm error code EINTEGRITY', 'npm cache verify'],
    [
      'npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync',
      'npm install',
    ],
  ])('for "%s" speaks of: %s', (line, help) => {
    expect(explainInstallFailure(['added 3 packages', line])).toContain(help)
  })

  it('does not guess from what a package happens to print', () => {
    expect(explainInstallFailure(['network of friends: EACCES'])).toBeNull()
    expect(explainInstallFailure(['npm error Exit handler never called!'])).toBeNull()
  })
})
