export * from './quantity.ts'
export * from './shown-zone.ts'
export * from './time.ts'
