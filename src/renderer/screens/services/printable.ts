/** Colours and cursor moves of a terminal. */
// eslint-disable-next-line no-control-regex
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
/** Controls, and what turns the direction of a text so that it reads other than it is. */
// eslint-disable-next-line no-control-regex
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/** A line that a stranger's program printed, as safe text: escapes are taken out, other invisible signs stand as `·`. */
export const printable = (line: string): string => line.replace(escapes, '').replace(invisible, '·')
