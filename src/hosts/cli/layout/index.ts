export { table, type TableColumn } from './table.ts'
export { cellWidth, clipped, fitted, wrapped } from './text-width.ts'
