import { expect, it } from 'vitest'
import { retryText } from '../../../../src/renderer/frame/retry-text.ts'

it('says why the last attempt failed before it says when the next one is', () => {
  expect(retryText(900, 'no response')).toBe('No response. Retrying in 1\u00a0s.')
  expect(retryText(3100, 'The page was refused.')).toBe('The page was refused. Retrying in 4\u00a0s.')
  expect(retryText(0, '')).toBe('Retrying in 0\u00a0s.')
})
