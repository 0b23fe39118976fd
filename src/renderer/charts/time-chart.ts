import type { Unit } from '../../contract/index.ts'
import type { Columns } from './columns.ts'
import type { AxisBounds } from './value-axis.ts'

/** A count through the theme's series colours, or one of the two that mean a release. */
export type Tone = number | 'stable' | 'candidate'

/** How one series looks; the dash tells it apart without colour. */
export interface SeriesStyle {
  label: string
  tone: Tone
  dash: readonly number[]
  /** A light area down to zero. */
  isFilled: boolean
}

/** A moment worth seeing on every chart: a notice, a deployment. */
export interface Marker {
  timeMs: number
  severity: 'info' | 'ok' | 'warning' | 'critical'
  text: string
  /** Marks those that charts are read by, from top to bottom. */
  isLine: boolean
  /** A few letters beside the line, for what a person looks for by name: the release that was deployed. */
  label?: string
  /** Address of what it marks. */
  link?: string
}

/** A level to compare with: a limit of the configuration, the number of cores. */
export interface LevelLine {
  value: number
  label: string
  severity: 'info' | 'warning' | 'critical'
}

/** Colours and font as CSS values. */
export interface ChartTheme {
  text: string
  /** What the chart stands on. */
  surface: string
  grid: string
  series: readonly string[]
  stable: string
  candidate: string
  info: string
  ok: string
  warning: string
  critical: string
  font: string
}

/** The colour of a series, as a CSS value. */
export const toneColour = (theme: ChartTheme, tone: Tone): string =>
  typeof tone === 'string' ? theme[tone] : (theme.series[tone % theme.series.length] ?? theme.text)

/** Where the plot lies in the canvas, CSS pixels. */
export interface PlotArea {
  left: number
  right: number
  top: number
  bottom: number
}

export interface TimeChartOptions {
  series: readonly SeriesStyle[]
  unit: Unit
  bounds: AxisBounds
  theme: ChartTheme
  /** Width of the value axis: the same for all charts of a screen, so that their times lie above each other. */
  axisWidthPx: number
  /** Text of a tick of the value axis. */
  tickText(value: number, step: number): string
}

/**
 * A chart of some series over time. Everything set is drawn at the next `draw`, which the owner calls when there is
 * a frame for it; `plot` is valid after that. Another chart library is another implementation of this.
 */
export interface TimeChart {
  readonly plot: PlotArea
  /** One for each series of the options, in their order. The chart reads them when it draws. */
  setColumns(columns: readonly Columns[]): void
  setRange(fromMs: number, toMs: number): void
  setLevels(levels: readonly LevelLine[]): void
  setMarkers(markers: readonly Marker[]): void
  setTheme(theme: ChartTheme): void
  resize(widthPx: number, heightPx: number): void
  draw(): void
  destroy(): void
}
