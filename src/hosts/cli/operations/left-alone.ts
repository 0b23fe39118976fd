import { AppError } from '../../../engine/core/index.ts'

/** Nothing was done, and the sentence says all there is to know: no advice follows. */
export class LeftAlone extends AppError {
  constructor(sentence: string) {
    super('CONFLICT', sentence)
  }
}
