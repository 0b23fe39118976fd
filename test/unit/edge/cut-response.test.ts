import { describe, expect, it } from 'vitest'
import { begun, outcomeOfCut, type CutBy } from '../../../src/edge/proxy/cut-response.ts'

describe('a response that was cut by its client, a limit of the edge, or its instance', () => {
  const length = { hasLength: true }
  const eventStream = { type: 'Text/Event-Stream; charset=utf-8' }
  it.each([
    [length, ['abandoned', 'timed_out', 'failed']],
    [{ ...length, hasBytes: true }, ['abandoned', 'timed_out', 'failed']],
    [{}, ['abandoned', 'timed_out', 'failed']],
    [{ hasBytes: true }, ['unmeasured', 'unmeasured', 'failed']],
    [eventStream, ['unmeasured', 'unmeasured', 'failed']],
    [{ type: 'text/event-stream-like' }, ['abandoned', 'timed_out', 'failed']],
    [{ status: 404, ...length }, ['abandoned', 'timed_out', 'failed']],
    [{ status: 503, ...length }, ['failed', 'failed', 'failed']],
    [{ status: 500, ...eventStream }, ['failed', 'failed', 'failed']],
  ] as const)('counts for %o as %j', (made, outcomes) => {
    const { status, hasLength, type, hasBytes } = {
      ...{ status: 200, hasLength: false, type: 'text/plain', hasBytes: false },
      ...made,
    }
    const response = { ...begun(status, hasLength, type), hasBytes }
    const cutBy: CutBy[] = ['client', 'limit', 'instance']
    expect(cutBy.map((by) => outcomeOfCut(response, by))).toEqual(outcomes)
  })
})
