export { PortableSource, type PortableOptions } from './source.ts'
