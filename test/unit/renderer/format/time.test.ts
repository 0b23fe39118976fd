import { afterEach, describe, expect, it } from 'vitest'
import {
  age,
  ago,
  clockTime,
  dateTime,
  duration,
  fullDateTime,
  took,
  zoneName,
} from '../../../../src/contract/index.ts'
import * as page from '../../../../src/renderer/format/index.ts'
import { showTimesIn } from '../../../../src/renderer/format/index.ts'

const plain = (text: string) => text.replaceAll('\u00a0', ' ')

describe('what something took', () => {
  it.each([
    [0, '0 ms'],
    [83.6, '84 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [125_000, '2 min 5 s'],
    [-5, '0 s'],
    [Number.NaN, '–'],
  ])('of %d ms reads %s', (spanMs, text) => {
    expect(plain(took(spanMs))).toBe(text)
  })
})

describe('a duration', () => {
  it.each([
    [0, '0 s'],
    [420, '0.4 s'],
    [9_949, '9.9 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_700, '1 min'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [2 * 3_600_000 + 180_000, '2 h 3 min'],
    [86_400_000 * 3 + 3_600_000 * 4 + 60_000, '3 d 4 h'],
    [-5, '0 s'],
    [Number.NaN, '–'],
  ])('of %d ms reads %s', (spanMs, text) => {
    expect(plain(duration(spanMs))).toBe(text)
  })
})

describe('how long ago something was', () => {
  it.each([
    [0, 'just now'],
    [-4_000, 'just now'],
    [1_499, 'just now'],
    [4_700, '4 s ago'],
    [119_000, '1 min ago'],
    [7_300_000, '2 h ago'],
    [86_400_000 * 9, '9 d ago'],
  ])('%d ms ago reads %s', (spanMs, text) => {
    expect(plain(ago(1_000_000_000 - spanMs, 1_000_000_000))).toBe(text)
  })
})

describe('an age', () => {
  it.each([
    [0, '0 s'],
    [999, '0 s'],
    [1000, '1 s'],
    [9_999, '9 s'],
    [61_500, '1 min 1 s'],
    [-5, '0 s'],
    [Number.NaN, '–'],
  ])('of %d ms reads %s, so that a counter changes once a second', (spanMs, text) => {
    expect(plain(age(spanMs))).toBe(text)
  })
})

describe('a time', () => {
  const atMs = Date.UTC(2025, 10, 20, 12, 31, 7)

  it('is a time of day in 24 hours', () => {
    expect(clockTime(atMs, 'UTC')).toBe('12:31:07')
    expect(clockTime(Date.UTC(2025, 10, 20, 0, 5, 0), 'UTC')).toBe('00:05:00')
    expect(clockTime(Number.NaN)).toBe('–')
  })

  it('names its day and zone only when it is not today, and its year only when it is not this one', () => {
    expect(dateTime(atMs, atMs + 3_600_000, 'UTC')).toBe('12:31:07')
    expect(dateTime(atMs, atMs + 86_400_000, 'UTC')).toBe('Nov 20, 12:31:07 UTC')
    expect(dateTime(atMs, atMs + 86_400_000 * 60, 'UTC')).toBe('Nov 20, 2025, 12:31:07 UTC')
    expect(fullDateTime(atMs, 'UTC')).toBe('Nov 20, 2025, 12:31:07 UTC')
  })

  it('knows that the same moment is another day elsewhere', () => {
    const evening = Date.UTC(2025, 10, 20, 23, 30, 0)
    expect(dateTime(evening, evening + 3_600_000, 'UTC')).toBe('Nov 20, 23:30:00 UTC')
    expect(dateTime(evening, evening + 3_600_000, 'Europe/Berlin')).toBe('00:30:00')
  })

  it('names the zone as it is at that time of the year', () => {
    expect(zoneName(Date.UTC(2025, 0, 1), 'America/New_York')).toBe('EST')
    expect(zoneName(Date.UTC(2025, 6, 1), 'America/New_York')).toBe('EDT')
  })
})

describe('times on the page', () => {
  afterEach(() => showTimesIn(() => undefined))

  it('stand in the zone that the person chose', () => {
    const atMs = Date.UTC(2025, 10, 20, 12, 31, 7)
    showTimesIn(() => 'Asia/Tokyo')
    expect(page.clockTime(atMs)).toBe('21:31:07')
    showTimesIn(() => 'UTC')
    expect(page.clockTime(atMs)).toBe('12:31:07')
    expect(page.fullDateTime(atMs)).toBe('Nov 20, 2025, 12:31:07 UTC')
  })
})
