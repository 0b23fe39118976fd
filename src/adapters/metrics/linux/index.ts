export { LinuxProcSource, type LinuxProcOptions } from './source.ts'
