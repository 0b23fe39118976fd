import { describe, expect, it } from 'vitest'
import type { Deployment, Release } from '../../../../src/contract/index.ts'
import {
  DeploymentForm,
  type DeploymentFormPorts,
} from '../../../../src/renderer/screens/deployments/deployment-form.svelte.ts'
import { madeDeployment, madeService } from './made.ts'
import { person } from '../../../support/person.ts'

type Calls = ReturnType<DeploymentFormPorts['calls']>
type Order = Parameters<Calls['deployments']['start']>[0]

const release = (id: string) => ({ id, note: '', createdBy: person('mira'), createdAtMs: 0 }) as Release
const settle = () => new Promise((done) => setImmediate(done))

/** A form on checkout at r42 with r41, r43 and r44 to choose from; what is ordered is kept, answers wait for the test. */
async function opened(address: { service?: string; release?: string } = { service: 'checkout' }) {
  const asked: { what: 'rehearse' | 'start'; order: Order; answer: PromiseWithResolvers<never> }[] = []
  const take = (what: 'rehearse' | 'start') => (order: Order) => {
    const answer = Promise.withResolvers<never>()
    asked.push({ what, order, answer })
    return answer.promise
  }
  const services = [madeService({ revision: 7 }), madeService({ name: 'search' })]
  const deployments: Deployment[] = []
  const form = new DeploymentForm({
    calls: () =>
      ({
        releases: { list: () => Promise.resolve(['r44', 'r43', 'r42', 'r41'].map(release)) },
        deployments: { rehearse: take('rehearse'), start: take('start') },
      }) as unknown as Calls,
    services: () => services,
    deployments: () => deployments,
    chosen: (name) => address[name] ?? null,
  })
  form.releases.start('checkout')
  await settle()
  const answer = async (value: object, index = asked.length - 1) => {
    asked[index]?.answer.resolve(value as never)
    await settle()
  }
  return { form, address, asked, services, deployments, answer }
}

const passed = { stableReleaseId: 'r42', plan: { steps: [] }, validation: { canDeploy: true, failed: 0 } }

describe('a deployment that a person prepares', () => {
  it('offers every release but the stable one, and is complete once one of them is chosen', async () => {
    const { form, address } = await opened()
    expect(form.offered?.map(({ id }) => id)).toEqual(['r44', 'r43', 'r41'])
    expect(form.isComplete).toBe(false)
    address.release = 'r42'
    expect(form.isComplete).toBe(false)
    address.release = 'r43'
    expect(form.isComplete).toBe(true)
    form.draft.maxErrorPercent = 200
    expect(form.mistake).toMatch('0 to 100%')
    expect(form.isComplete).toBe(false)
  })

  it('starts what plan and checks were shown for, on the state of the service that was seen then', async () => {
    const { form, asked, services, deployments, answer } = await opened({
      service: 'checkout',
      release: 'r44',
    })
    deployments.push(madeDeployment({ id: 'd9' }))
    form.why = 'winter sale'
    void form.rehearse()
    expect(form.isBusy).toBe(true)
    await answer(passed)
    expect(form.target).toBe('checkout: r42 → r44')
    expect(form.superseded?.id).toBe('d9')
    services[0] = madeService({ revision: 8 })
    deployments.length = 0
    const started = form.start()
    await answer({ id: 'd10' })
    expect(await started).toMatchObject({ id: 'd10' })
    expect(asked[1]).toMatchObject({
      what: 'start',
      order: { releaseId: 'r44', expectedRevision: 7, supersedes: 'd9', why: 'winter sale' },
    })
  })

  it('takes plan and checks away when something else is chosen', async () => {
    const { form, address, answer } = await opened({ service: 'checkout', release: 'r44' })
    void form.rehearse()
    await answer(passed)
    expect(form.canStart).toBe(true)
    address.release = 'r41'
    expect(form.rehearsal).toBeUndefined()
    expect(await form.start()).toBeUndefined()
  })

  it('drops plan and checks that come for an earlier choice, and lets the new choice be asked for meanwhile', async () => {
    const { form, address, asked, answer } = await opened({ service: 'checkout', release: 'r44' })
    void form.rehearse()
    address.release = 'r41'
    expect(form.isBusy).toBe(false)
    void form.rehearse()
    await answer(passed, 0)
    expect(form.rehearsal).toBeUndefined()
    expect(form.isBusy).toBe(true)
    await answer(passed, 1)
    expect(form.rehearsal).toBeDefined()
    expect(asked.map(({ order }) => order.releaseId)).toEqual(['r44', 'r41'])
  })

  it('does not start what a required check forbids', async () => {
    const { form, asked, answer } = await opened({ service: 'checkout', release: 'r44' })
    void form.rehearse()
    await answer({ ...passed, validation: { canDeploy: false, failed: 1 } })
    expect(form.canStart).toBe(false)
    await form.start()
    expect(asked).toHaveLength(1)
  })

  it('says why an order failed until something else is chosen', async () => {
    const { form, address, asked } = await opened({ service: 'checkout', release: 'r44' })
    void form.rehearse()
    asked[0]?.answer.reject(Object.assign(new Error('Changed meanwhile'), { code: 'CONFLICT' }))
    await settle()
    expect(form.failure).toMatchObject({ code: 'CONFLICT' })
    address.release = 'r41'
    expect(form.failure).toBeUndefined()
  })

  it('begins anew after it was closed: an order that was under way leads nowhere', async () => {
    const { form, answer } = await opened({ service: 'checkout', release: 'r44' })
    form.why = 'winter sale'
    void form.rehearse()
    await answer(passed)
    const started = form.start()
    form.reset()
    await answer({ id: 'd10' })
    expect(await started).toBeUndefined()
    expect(form).toMatchObject({ why: '', rehearsal: undefined, isBusy: false })
  })

  it('takes the only service there is', async () => {
    const { form, services } = await opened({})
    expect(form.service).toBe('')
    services.length = 1
    expect(form.service).toBe('checkout')
  })
})
