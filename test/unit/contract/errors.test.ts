import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/base/index.ts'
import { callError, errorCatalogue } from '../../../src/contract/index.ts'
import { failureOf } from '../../../src/renderer/state/failure.ts'

describe('what a person is told to do about a failure', () => {
  it.each(Object.entries(errorCatalogue))(
    'promises no recovery for every failure of its code: %s',
    (_, { action }) => {
      expect(action).toMatch(/\.$|pilothouse config check$/)
      expect(action).not.toMatch(/by itself|recover|automatically/)
    },
  )

  it('is that of the one case, where the failure has its own', () => {
    expect(new AppError('UNAVAILABLE', 'Port 80 is in use.').remedy).toBe(errorCatalogue.UNAVAILABLE.action)
    const remedy = 'Choose another port.'
    expect(new AppError('UNAVAILABLE', 'Port 80 is in use.', { remedy }).remedy).toBe(remedy)
  })

  it('reaches the screens as the engine says it', () => {
    const failure = Object.assign(new Error('Port 80 is in use.'), {
      code: 'UNAVAILABLE',
      data: { action: 'Choose another port.' },
    })
    expect(failureOf(failure).action).toBe('Choose another port.')
  })

  it('is to wait only where the page reconnects', () => {
    expect(failureOf(callError('UNAVAILABLE')).action).toMatch(/reconnects/)
    expect(failureOf(callError('TIMEOUT')).action).toBe(errorCatalogue.TIMEOUT.action)
  })
})
