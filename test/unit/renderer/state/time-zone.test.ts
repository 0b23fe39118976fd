import { afterEach, describe, expect, it } from 'vitest'
import { showTimesIn, shownZone } from '../../../../src/renderer/format/index.ts'
import { TimeZone } from '../../../../src/renderer/state/time-zone.svelte.ts'

describe('the zone of times on the page', () => {
  afterEach(() => showTimesIn(() => undefined))

  it('is the configured one, whenever that changes, until this viewer chooses another', () => {
    let configured: 'local' | 'utc' = 'local'
    const zone = new TimeZone(() => configured)
    expect([zone.choice, zone.shown, shownZone()]).toEqual(['configured', 'local', undefined])
    configured = 'utc'
    expect([zone.choice, zone.shown, shownZone()]).toEqual(['configured', 'utc', 'UTC'])
    zone.turn()
    expect([zone.choice, zone.shown, shownZone()]).toEqual(['local', 'local', undefined])
    zone.turn()
    expect([zone.choice, shownZone()]).toEqual(['utc', 'UTC'])
    zone.choose('configured')
    configured = 'local'
    expect(shownZone()).toBeUndefined()
  })
})
