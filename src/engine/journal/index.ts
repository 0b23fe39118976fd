export type { Episode, News } from './episodes.ts'
export { NoticeBoard, type NoticeBoardParts } from './notice-board.ts'
export type { Journal, Launch } from './ports.ts'
