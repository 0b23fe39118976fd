import { describe, expect, it } from 'vitest'
import {
  artifactIn,
  edgeReleaseSchema,
  newReleaseSchema,
  releaseSchema,
  withoutDirectory,
  withVariables,
  type Artifact,
} from '../../../src/contract/index.ts'
import { person } from '../../support/person.ts'

const command: Artifact = { kind: 'command', argv: ['node', 'server.js'], env: { A: '1' } }
const kept = { service: 'shop', id: 'r1', parameters: {}, note: '', createdAtMs: 1, createdBy: 'ann' }

describe('the artifact of a release', () => {
  it('is read as the first version kept it, with texts that are refused in a new one', () => {
    const artifact = { kind: 'command', argv: ['node', 'a\0b'], env: {}, cwd: 'relative' }
    const release = { ...kept, artifact }
    expect(releaseSchema.parse({ ...release, createdBy: person('ann') })).toMatchObject({ artifact })
    expect(edgeReleaseSchema.parse(release)).toEqual(release)
    const { service, id, note } = release
    const anew = newReleaseSchema.safeParse({ service, id, note, parameters: {}, artifact })
    expect(anew.error?.issues).toMatchObject([{ path: ['artifact', 'argv', 1] }])
  })

  it.each([{ argv: ['node'] }, { kind: 'image', image: 'shop:1' }])(
    'is refused where its kind is not known, by place and with what is: %j',
    (artifact) => {
      const { service, id, note } = kept
      const draft = newReleaseSchema.safeParse({ service, id, note, parameters: {}, artifact })
      expect(draft.error?.issues).toMatchObject([
        { path: ['artifact', 'kind'], message: expect.stringContaining("'command'") as string },
      ])
    },
  )

  it('runs in the directory that it names, and otherwise in the one that it is given', () => {
    expect(artifactIn('/srv', command)).toEqual({ ...command, cwd: '/srv' })
    expect(artifactIn('/srv', { ...command, cwd: '/own' })).toEqual({ ...command, cwd: '/own' })
    expect(withoutDirectory({ ...command, cwd: '/own' })).toEqual(command)
  })

  it('takes more variables, which win over its own', () => {
    expect(withVariables(command, { A: '2', B: '3' })).toEqual({ ...command, env: { A: '2', B: '3' } })
  })
})
