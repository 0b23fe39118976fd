export { PortableSource } from './source.ts'
