export { inputIssues, issueText } from './refused.ts'
export { createRouter, type ApiRouter } from './router.ts'
