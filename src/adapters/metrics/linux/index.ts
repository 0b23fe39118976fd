export { LinuxProcSource } from './source.ts'
