/** The text of a readiness check that passes. */
export const passedCheck = 'OK'
