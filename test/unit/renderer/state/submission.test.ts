import { describe, expect, it } from 'vitest'
import { Submission } from '../../../../src/renderer/state/submission.svelte.ts'

describe('an order to the engine', () => {
  it('is given once, however often the button is pressed', async () => {
    const submission = new Submission()
    const given = Promise.withResolvers<string>()
    let count = 0
    const order = () => {
      count += 1
      return given.promise
    }
    const first = submission.run(order)
    expect(await submission.run(order)).toBeUndefined()
    expect(submission.isBusy).toBe(true)
    given.resolve('done')
    expect(await first).toBe('done')
    expect(count).toBe(1)
    expect(submission.isBusy).toBe(false)
  })

  it('says why it failed until the next one is given', async () => {
    const submission = new Submission()
    await submission.run(() => Promise.reject(Object.assign(new Error('Changed'), { code: 'CONFLICT' })))
    expect(submission.failure).toMatchObject({ code: 'CONFLICT', text: 'Changed' })
    await submission.run(() => Promise.resolve('done'))
    expect(submission.failure).toBeUndefined()
  })

  it('has no answer and no failure once it was dropped', async () => {
    const submission = new Submission()
    const given = Promise.withResolvers<string>()
    const first = submission.run(() => given.promise)
    submission.drop()
    expect(submission.isBusy).toBe(false)
    given.reject(new Error('late'))
    expect(await first).toBeUndefined()
    expect(submission.failure).toBeUndefined()
  })
})
