/**
 * Names and command lines are chosen by the processes themselves: control and direction characters, which would
 * break a table, a log or a terminal, become question marks.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what it takes out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')
}
