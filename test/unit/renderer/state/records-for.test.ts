import { describe, expect, it } from 'vitest'
import { recordsFor } from '../../../../src/renderer/state/records-for.ts'
import type { HostView } from '../../../../src/renderer/state/standing.svelte.ts'

const hosts = [{ host: { id: 'h1', name: 'web-1' }, state: undefined }] as unknown as HostView[]

describe('the records that a page asks for', () => {
  it('are those of the frame on every screen: health with the newest sample, configuration, events, services', () => {
    for (const screen of ['overview', 'services', 'deployments', 'activity'] as const)
      expect(recordsFor({ screen }, hosts)).toEqual(
        expect.arrayContaining(['engine', 'config', 'health', 'notices', 'service:*', 'deployment:*']),
      )
  })

  it('hold the figures of all hosts on the overview, of one on its own screen, and of none elsewhere', () => {
    const figures = (view: Parameters<typeof recordsFor>[0]) =>
      recordsFor(view, hosts).filter((pattern) => pattern.startsWith('hostState:'))
    expect(figures({ screen: 'overview' })).toEqual(['hostState:*'])
    expect(figures({ screen: 'host', hostId: 'web-1' })).toEqual(['hostState:h1'])
    expect(figures({ screen: 'services' })).toEqual([])
  })
})
