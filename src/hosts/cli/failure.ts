import { terminalText } from '../../contract/index.ts'
import { AppError } from '../../base/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { exitCodes, tell } from './output.ts'

/** There is no engine to talk to. */
export class NoEngine extends AppError {
  constructor(sentence: string) {
    super('UNAVAILABLE', sentence)
  }
}

/** Nothing was done, and the sentence says all there is to know: no advice follows. */
export class LeftAlone extends AppError {
  constructor(sentence: string) {
    super('CONFLICT', sentence, { remedy: '' })
  }
}

/** A person pressed Ctrl-C at a question, or while a command followed something. */
export class Interrupted extends LeftAlone {
  constructor(sentence = 'Interrupted. Nothing was done.') {
    super(sentence)
  }
}

/**
 * Says why a command failed and gives its exit code: sentences on standard error and, for a program, a line of JSON on
 * standard output, with the fields of a failed call.
 */
export function tellFailure(
  failure: AppError,
  { out, err, isJson }: CommandSurroundings & { isJson: boolean },
): number {
  const { code, message, remedy, retryable, details } = failure
  const action = failure instanceof NoEngine ? '' : remedy
  // The terminal shows ^C on the line of the question.
  if (failure instanceof Interrupted && err.isTerminal) err.write('\n')
  tell(err, `${err.style('red', 'pilothouse')}: ${terminalText(message)}\n`)
  if (action !== '') tell(err, `${action.split('\n').map(terminalText).join('\n')}\n`)
  // On one line: it may follow others that a watched deployment or a log wrote.
  if (isJson) out.write(`${JSON.stringify({ error: { code, message, action, retryable, details } })}\n`)
  if (failure instanceof Interrupted) return exitCodes.interrupted
  if (failure instanceof NoEngine) return exitCodes.noEngine
  return code === 'BAD_INPUT' ? exitCodes.usage : exitCodes.failed
}
