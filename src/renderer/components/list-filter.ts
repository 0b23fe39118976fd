/** From so many rows on a list may be longer than a screen, and has a filter. */
export const screenful = 12

/** Whether a row with these texts fits what a person typed. */
export const fitsFilter = (filter: string, ...texts: string[]): boolean =>
  texts.some((text) => text.toLowerCase().includes(filter.trim().toLowerCase()))
