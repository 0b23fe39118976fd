import { shownService } from '../config/index.ts'
import type { Declaration } from './ports.ts'

/** A declaration as people see it: addresses of webhooks are hidden where they may be secret. */
export const shownDeclaration = (declaration: Declaration): Declaration => ({
  ...declaration,
  written: shownService(declaration.written),
})
