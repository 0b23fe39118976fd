import { expect, it } from 'vitest'
import { addressText, runtimeText } from '../../../src/contract/index.ts'

it('says where an instance is reached, and what it is on its host', () => {
  const running = { kind: 'process', port: 41001, pid: 4711 } as const
  expect([addressText(running), runtimeText(running)]).toEqual(['port 41001', 'process 4711'])
})

it('names no process while none runs', () => {
  const waiting = { kind: 'process', port: 41001, pid: null } as const
  expect([addressText(waiting), runtimeText(waiting)]).toEqual(['port 41001', '–'])
})

it('claims nothing of an instance whose engine, an earlier one, tells no address', () => {
  expect([addressText(undefined), runtimeText(undefined)]).toEqual(['–', '–'])
})
