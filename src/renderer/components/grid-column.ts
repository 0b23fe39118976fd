/** A column of a grid of rows. */
export interface GridColumn {
  key: string
  label: string
  /** Of the grid template, e.g. `80px` or `minmax(120px, 1fr)`. */
  width: string
  isNumber?: boolean
  isSortable?: boolean
}
