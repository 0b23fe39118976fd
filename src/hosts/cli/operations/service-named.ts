import { AppError } from '../../../base/index.ts'
import { notFoundText, type ServiceState } from '../../../contract/index.ts'

/** The service of this name. Throws NOT_FOUND, with those there are. */
export function serviceNamed(name: string, services: readonly ServiceState[]): ServiceState {
  const found = services.find((each) => each.name === name)
  if (found) return found
  const known = services.map((each) => each.name).sort()
  throw new AppError('NOT_FOUND', notFoundText('service', name, known))
}
