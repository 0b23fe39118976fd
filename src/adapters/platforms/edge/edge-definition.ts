import type { EdgeDefinition, ServiceDefinition } from '../../../contract/index.ts'

/** The service as an edge takes it. */
export function edgeDefinition({ platform, ...definition }: ServiceDefinition): EdgeDefinition {
  switch (platform) {
    case 'edge':
      return definition
  }
}
