import type { Outline, Points } from './decimate.ts'
import {
  toneColour,
  type ChartTheme,
  type LevelLine,
  type Marker,
  type PlotArea,
  type SeriesStyle,
} from './time-chart.ts'

export interface Scales {
  x(timeMs: number): number
  y(value: number): number
}

const areaAlpha = 0.1
const bandAlpha = 0.22

/** What lies behind the lines: the area of filled series, and the band between least and greatest. */
export function drawBackdrop(
  context: CanvasRenderingContext2D,
  plot: PlotArea,
  scales: Scales,
  of: { outlines: readonly Outline[]; styles: readonly SeriesStyle[]; theme: ChartTheme },
): void {
  clipped(context, plot, () => {
    of.outlines.forEach(({ line, low, high }, index) => {
      const style = of.styles[index]
      if (!style) return
      context.fillStyle = toneColour(of.theme, style.tone)
      if (style.isFilled) {
        context.globalAlpha = areaAlpha
        fillRuns(context, line, undefined, scales)
      }
      context.globalAlpha = bandAlpha
      fillRuns(context, high, low, scales)
      context.globalAlpha = 1
      dotLonePoints(context, line, scales)
    })
  })
}

/** Markers and levels, over the lines; what levels say last, as it must be read. */
export function drawForeground(
  context: CanvasRenderingContext2D,
  plot: PlotArea,
  scales: Scales,
  of: { levels: readonly LevelLine[]; markers: readonly Marker[]; theme: ChartTheme },
): void {
  clipped(context, { ...plot, top: 0, left: plot.left - 6, right: plot.right + 6 }, () => {
    for (const marker of of.markers) {
      drawMarker(context, plot, scales.x(marker.timeMs), marker, of.theme[marker.severity])
    }
    drawMarkerNames(context, plot, scales, of)
    of.levels.forEach(({ value, label, severity }, index) => {
      drawLevel(context, plot, scales.y(value), { label, colour: of.theme[severity], theme: of.theme, index })
    })
  })
}

function clipped(context: CanvasRenderingContext2D, plot: PlotArea, draw: () => void): void {
  context.save()
  context.beginPath()
  context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top)
  context.clip()
  draw()
  context.restore()
}

/** Fills between `upper` and `lower` (zero without one), run by run between the gaps. */
function fillRuns(
  context: CanvasRenderingContext2D,
  upper: Points,
  lower: Points | undefined,
  scales: Scales,
): void {
  const zero = scales.y(0)
  let start = 0
  for (let index = 0; index <= upper.count; index++) {
    if (index < upper.count && !Number.isNaN(upper.values[index])) continue
    if (index > start) {
      context.beginPath()
      for (let at = start; at < index; at++) {
        context.lineTo(scales.x(upper.timesMs[at] ?? 0), scales.y(upper.values[at] ?? 0))
      }
      for (let at = index - 1; at >= start; at--) {
        context.lineTo(scales.x(upper.timesMs[at] ?? 0), lower ? scales.y(lower.values[at] ?? 0) : zero)
      }
      context.fill()
    }
    start = index + 1
  }
}

/** A point between two gaps has no line: without its dot it would not be seen at all. */
function dotLonePoints(context: CanvasRenderingContext2D, line: Points, scales: Scales): void {
  const isGap = (index: number) => index < 0 || index >= line.count || Number.isNaN(line.values[index])
  for (let index = 0; index < line.count; index++) {
    if (isGap(index) || !isGap(index - 1) || !isGap(index + 1)) continue
    context.beginPath()
    context.arc(scales.x(line.timesMs[index] ?? 0), scales.y(line.values[index] ?? 0), 1.5, 0, Math.PI * 2)
    context.fill()
  }
}

/**
 * Labels of levels stand in turn at the left, in the middle and at the right, since two may lie close together; the
 * newest figures, at the right, are covered last.
 */
function drawLevel(
  context: CanvasRenderingContext2D,
  plot: PlotArea,
  y: number,
  { label, colour, theme, index }: { label: string; colour: string; theme: ChartTheme; index: number },
): void {
  if (y < plot.top || y > plot.bottom) return
  context.strokeStyle = colour
  context.globalAlpha = 0.75
  context.lineWidth = 1
  context.setLineDash([6, 4])
  context.beginPath()
  context.moveTo(plot.left, Math.round(y) + 0.5)
  context.lineTo(plot.right, Math.round(y) + 0.5)
  context.stroke()
  context.setLineDash([])
  context.globalAlpha = 1
  context.fillStyle = theme.text
  context.font = `10.5px ${theme.font}`
  const isBelow = y - plot.top < 14
  context.textBaseline = isBelow ? 'top' : 'bottom'
  const textY = isBelow ? y + 3 : y - 2
  const inset = 4
  const place = (['left', 'center', 'right'] as const)[index % 3] ?? 'left'
  context.textAlign = place
  const textX = { right: plot.right - inset, center: (plot.left + plot.right) / 2, left: plot.left + inset }[
    place
  ]
  // Lines pass behind the text, not through it.
  context.strokeStyle = theme.surface
  context.lineWidth = 3
  context.lineJoin = 'round'
  context.strokeText(label, textX, textY)
  context.fillText(label, textX, textY)
}

/** Room between names of markers, px. */
const nameGapPx = 6
/** Names of markers have a row of their own over the shapes of the markers: neither lines nor levels cross them. */
const nameBottomPx = 10
export const nameRowPx = 13

/** One that would lie over the name before it is left out. */
function drawMarkerNames(
  context: CanvasRenderingContext2D,
  plot: PlotArea,
  scales: Scales,
  { markers, theme }: { markers: readonly Marker[]; theme: ChartTheme },
): void {
  context.font = `10.5px ${theme.font}`
  context.textBaseline = 'bottom'
  context.textAlign = 'left'
  context.fillStyle = theme.text
  let freeFromPx = plot.left - 6
  for (const { timeMs, label } of markers) {
    const x = scales.x(timeMs)
    if (!label || x < plot.left || x > plot.right) continue
    const widthPx = context.measureText(label).width
    const left = Math.min(x - 3, plot.right + 6 - widthPx)
    if (left < freeFromPx) continue
    context.fillText(label, left, plot.top - nameBottomPx)
    freeFromPx = left + widthPx + nameGapPx
  }
}

/** A dotted line with the shape of its severity at the top: diamond, triangle, disc. */
function drawMarker(
  context: CanvasRenderingContext2D,
  plot: PlotArea,
  x: number,
  { severity, isLine }: Marker,
  colour: string,
): void {
  if (x < plot.left || x > plot.right) return
  context.strokeStyle = context.fillStyle = colour
  if (isLine) {
    context.lineWidth = 1
    context.setLineDash([2, 3])
    context.beginPath()
    context.moveTo(Math.round(x) + 0.5, plot.top)
    context.lineTo(Math.round(x) + 0.5, plot.bottom)
    context.stroke()
    context.setLineDash([])
  }
  const y = plot.top - 4
  context.beginPath()
  if (severity === 'critical') {
    polygon(context, [x, y - 4.5, x + 4.5, y, x, y + 4.5, x - 4.5, y])
  } else if (severity === 'warning') {
    polygon(context, [x, y - 4, x + 4.5, y + 4, x - 4.5, y + 4])
  } else {
    context.arc(x, y, 3, 0, Math.PI * 2)
  }
  context.fill()
}

function polygon(context: CanvasRenderingContext2D, corners: number[]): void {
  for (let index = 0; index < corners.length; index += 2) {
    context.lineTo(corners[index] ?? 0, corners[index + 1] ?? 0)
  }
  context.closePath()
}
