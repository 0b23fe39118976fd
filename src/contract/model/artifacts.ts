import * as z from 'zod'
import { argvSchema, environmentSchema, processText } from './passed-text.ts'

/** A command without a shell. `PORT` is set by the platform; `{port}` in an argument stands for it too. */
export const commandArtifactSchema = z.strictObject({
  kind: z.literal('command'),
  argv: argvSchema,
  env: environmentSchema,
  cwd: processText(4000).optional(),
})

/** What a release runs: one kind for each thing that a platform can run. */
export const artifactSchema = z.discriminatedUnion('kind', [commandArtifactSchema])

/** Texts by name, as once made known: what is taken now is held to tighter rules. */
export const keptTextsSchema = z.record(z.string().max(200), z.string().max(10_000)).default({})

export const keptCommandArtifactSchema = commandArtifactSchema.extend({
  argv: z.array(z.string().max(10_000)).min(1).max(100),
  env: keptTextsSchema,
  cwd: z.string().max(4000).optional(),
})

/** An artifact as it was once made known. */
export const keptArtifactSchema = z.discriminatedUnion('kind', [keptCommandArtifactSchema])
export type Artifact = z.infer<typeof keptArtifactSchema>

/** Variables that its processes get from the artifact. */
export function artifactVariables(artifact: Artifact): Readonly<Record<string, string>> {
  switch (artifact.kind) {
    case 'command':
      return artifact.env
  }
}

/** The artifact with more variables, which win over its own. */
export function withVariables(artifact: Artifact, variables: Readonly<Record<string, string>>): Artifact {
  switch (artifact.kind) {
    case 'command':
      return { ...artifact, env: { ...artifact.env, ...variables } }
  }
}

/** The artifact as it runs in `directory` unless it names one itself. */
export function artifactIn(directory: string, artifact: Artifact): Artifact {
  switch (artifact.kind) {
    case 'command':
      return { ...artifact, cwd: artifact.cwd ?? directory }
  }
}

/** The directory that the artifact names; undefined where it names none. */
export function directoryNamedBy(artifact: Artifact): string | undefined {
  switch (artifact.kind) {
    case 'command':
      return artifact.cwd
  }
}

/** The artifact without the directory that it names. */
export function withoutDirectory(artifact: Artifact): Artifact {
  switch (artifact.kind) {
    case 'command': {
      const { cwd: _, ...rest } = artifact
      return rest
    }
  }
}
