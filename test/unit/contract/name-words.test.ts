import { describe, expect, it } from 'vitest'
import { hookMoment, limitName, notFoundText } from '../../../src/contract/index.ts'
import { limitKinds } from '../../../src/engine/telemetry/limits.ts'

describe('a name that does not exist', () => {
  it('is answered with those that do', () => {
    expect(notFoundText('service', 'shpo', ['shop', 'cart'])).toBe(
      'There is no service "shpo". Services: cart, shop.',
    )
    expect(notFoundText('service', 'shpo', [])).toBe('There is no service "shpo". There are no services yet.')
  })

  it('is answered with the command that lists them where they are unknown or many', () => {
    const many = Array.from({ length: 11 }, (_, index) => `s${index}`)
    for (const known of [undefined, many])
      expect(notFoundText('service', 'shpo', known)).toBe(
        'There is no service "shpo". To list all services, run: pilothouse services',
      )
    expect(notFoundText('deployment', 'd9')).toContain('run: pilothouse deployments list')
    expect(notFoundText('host', 'db-9')).toBe('There is no host "db-9".')
  })
})

describe('the name of a host limit', () => {
  it('is one phrase before a figure', () => {
    expect(limitName({ kind: 'cpu', subject: '' })).toBe('CPU use')
    expect(limitName({ kind: 'disk', subject: '/var' })).toBe('disk /var')
    expect(limitName({ kind: 'inodes', subject: '/' })).toBe('inodes on /')
    expect(limitName({ kind: 'temperature', subject: '' })).toBe('temperature')
  })

  it('exists for every kind', () => {
    for (const kind of limitKinds.filter((each) => each !== 'disk'))
      expect(limitName({ kind, subject: 'x' })).not.toBe(`${kind} x`)
  })
})

it('says when a hook runs, without a name of the code', () => {
  expect(hookMoment({ when: 'after', phase: 'rolling_back' }, null)).toBe('after the rollback')
  expect(hookMoment({ when: 'before', phase: 'stepping' }, 1)).toBe('before step 2')
})
