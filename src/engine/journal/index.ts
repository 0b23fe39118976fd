export type { Episode, News } from './episodes.ts'
export { recordLaunch } from './launch.ts'
export { NoticeBoard } from './notice-board.ts'
export type { Journal, JournalChange, Launch } from './ports.ts'
