import type { InstanceAddress } from '../model/services.ts'
import { noFigure } from './time.ts'

/** Where an instance is reached: `port 41001`. An earlier engine tells no address: `–`. */
export function addressText(address: InstanceAddress | undefined): string {
  switch (address?.kind) {
    case 'process':
      return `port ${address.port}`
    case undefined:
      return noFigure
  }
}

/** What runs there, by the name that its host knows it by: `process 4711`; `–` while nothing does. */
export function runtimeText(address: InstanceAddress | undefined): string {
  switch (address?.kind) {
    case 'process':
      return address.pid === null ? noFigure : `process ${address.pid}`
    case undefined:
      return noFigure
  }
}
