/** Rows that keys move between: of lists that say so, of tables, and the one of a grid that takes the focus. */
const rowSelector = 'main :is([data-row], table.figures tbody tr, [role=row][data-index][tabindex="0"])'

const shownRows = (): HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>(rowSelector)].filter((row) => row.offsetParent !== null)

/** Moves the focus to the next row below or above, across the lists of the screen; to the first one from elsewhere. */
export function moveRow(by: 1 | -1): void {
  const rows = shownRows()
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const row = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]
  if (!row) return
  if (!row.hasAttribute('tabindex')) row.tabIndex = -1
  row.focus()
  row.scrollIntoView({ block: 'nearest' })
}

/** Opens the row that has the focus, as a click on its first link or button does; false where none has, or it has neither. */
export function openRow(): boolean {
  const row = document.activeElement
  if (!(row instanceof HTMLElement) || !row.matches(rowSelector)) return false
  const way = row.querySelector<HTMLElement>('a[href], button:not([disabled])')
  way?.click()
  return way !== null
}
