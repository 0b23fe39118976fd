import type { Unit } from '../../contract/index.ts'
import { joined, quantity } from '../format/index.ts'

/** Text of a tick: without the decimals that a round value does not need. */
export function axisText(value: number, unit: Unit): string {
  const { figure, unit: sign } = quantity(value, unit)
  const short = figure.includes('.') ? figure.replace(/\.?0+$/, '') : figure
  return joined({ figure: short, unit: sign })
}
