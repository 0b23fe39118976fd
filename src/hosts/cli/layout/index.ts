export { table } from './table.ts'
export { cellWidth, clipped, fitted, wrapped } from './text-width.ts'
