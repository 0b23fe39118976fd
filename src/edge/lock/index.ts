export { type DirectoryLock, lockDirectory, takeLock } from './lock.ts'
