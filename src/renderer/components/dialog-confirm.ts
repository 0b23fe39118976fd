/** What a dialog orders when it is confirmed, and how that is going. */
export interface DialogConfirm {
  /** On the button: a verb and its target. */
  label: string
  run: () => unknown
  /** While the order is in progress. */
  busyLabel?: string
  isBusy?: boolean
  /** False while something that it needs is missing. */
  isReady?: boolean
  /** Takes something away: traffic, a service. */
  isDangerous?: boolean
  /** Why the last order failed; empty when it did not. */
  error?: string
  /** Of a dialog with several steps: where it is, and the way to the one before. */
  step?: string
  back?: () => void
}
