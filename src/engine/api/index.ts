export { inputIssues, issueText } from './refused.ts'
export { createRouter, type ApiParts, type ApiRouter } from './router.ts'
