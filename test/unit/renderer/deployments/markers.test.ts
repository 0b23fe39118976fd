import { describe, expect, it } from 'vitest'
import { deploymentMarkers } from '../../../../src/renderer/domain/deployments/markers.ts'
import { madeDeployment } from './made.ts'

describe('the markers of a deployment on charts', () => {
  it('name the release where it began, and lead to the deployment', () => {
    const [began, ...rest] = deploymentMarkers(madeDeployment({ createdAtMs: 1000 }))
    expect(began).toMatchObject({ timeMs: 1000, severity: 'info', label: 'r43', link: '/deployments/d1' })
    expect(rest).toEqual([])
  })

  it('say how it ended, with the sign of that end, and no second name', () => {
    const [, ended] = deploymentMarkers(
      madeDeployment({ createdAtMs: 1000, endedAtMs: 9000, phase: 'rolled_back' }),
    )
    expect(ended).toMatchObject({ timeMs: 9000, severity: 'critical', link: '/deployments/d1' })
    expect(ended?.text).toMatch(/r43 rolled back$/)
    expect(ended).not.toHaveProperty('label')
  })
})
