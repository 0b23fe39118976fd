import {
  Chart,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  type ChartConfiguration,
  type ChartDataset,
  type Plugin,
  type Point,
} from 'chart.js'
import { decimate, emptyOutline, type Outline } from './decimate.ts'
import { drawBackdrop, drawForeground, nameRowPx } from './plot-drawing.ts'
import { shownOffsetMs, timeTicks } from './time-axis.ts'
import { toneColour, type PlotArea, type TimeChart, type TimeChartOptions } from './time-chart.ts'
import { axisTicks, valueAxis, type ValueAxis } from './value-axis.ts'

Chart.register(LineController, LineElement, PointElement, LinearScale)

/** Between two times of the axis, so that their texts do not touch. */
const leastTickPx = 66
const axisHeightPx = 22
const paddingTopPx = 10
const paddingRightPx = 10

/** The chart on Chart.js: it draws axes and lines; what is drawn is chosen here, and nothing is animated. */
export function createChartJsTimeChart(canvas: HTMLCanvasElement, options: TimeChartOptions): TimeChart {
  let columns: Parameters<TimeChart['setColumns']>[0] = []
  let levels: Parameters<TimeChart['setLevels']>[0] = []
  let markers: Parameters<TimeChart['setMarkers']>[0] = []
  let theme = options.theme
  let fromMs = 0
  let toMs = 1
  let axis: ValueAxis | undefined
  const outlines: Outline[] = options.series.map(emptyOutline)
  const pools: Point[][] = options.series.map(() => [])

  const datasets = options.series.map((style, index): ChartDataset<'line', Point[]> => ({
    label: style.label,
    data: pools[index] ?? [],
    borderDash: [...style.dash],
    borderWidth: 1.5,
    borderColor: toneColour(theme, style.tone),
  }))

  const surroundings: Plugin<'line'> = {
    id: 'surroundings',
    beforeDatasetsDraw: (chart) =>
      drawBackdrop(chart.ctx, plotOf(chart), scalesOf(chart), { outlines, styles: options.series, theme }),
    afterDatasetsDraw: (chart) =>
      drawForeground(chart.ctx, plotOf(chart), scalesOf(chart), { levels, markers, theme }),
  }

  const configuration: ChartConfiguration<'line', Point[]> = {
    type: 'line',
    data: { datasets },
    plugins: [surroundings],
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      responsive: false,
      maintainAspectRatio: false,
      events: [],
      layout: { padding: { top: paddingTopPx, right: paddingRightPx } },
      elements: { point: { radius: 0, hitRadius: 0, hoverRadius: 0 }, line: { tension: 0 } },
      datasets: { line: { spanGaps: false } },
      scales: {
        x: {
          type: 'linear',
          min: fromMs,
          max: toMs,
          border: { display: false },
          grid: { display: false },
          ticks: { maxRotation: 0, autoSkip: false, padding: 2, color: theme.text, font: { size: 11 } },
          afterBuildTicks: (scale) => {
            const most = Math.max(2, Math.floor(scale.width / leastTickPx))
            scale.ticks = timeTicks(fromMs, toMs, most, shownOffsetMs).map(({ timeMs, text }) => ({
              value: timeMs,
              label: text,
            }))
          },
          // The ticks carry their text already.
          afterTickToLabelConversion: () => undefined,
          afterFit: (scale) => {
            scale.height = axisHeightPx
          },
        },
        y: {
          type: 'linear',
          min: 0,
          max: 1,
          border: { display: false },
          grid: { color: theme.grid, drawTicks: false, lineWidth: 1 },
          ticks: { autoSkip: false, padding: 6, color: theme.text, font: { size: 11 } },
          afterBuildTicks: (scale) => {
            scale.ticks = axis ? axisTicks(axis).map((value) => ({ value })) : []
          },
          afterFit: (scale) => {
            scale.width = options.axisWidthPx
          },
        },
      },
    },
  }
  const scaleOptions = configuration.options?.scales
  if (scaleOptions?.x?.ticks) {
    scaleOptions.x.ticks.callback = (_value, index, ticks) => ticks[index]?.label ?? ''
  }
  if (scaleOptions?.y?.ticks) {
    scaleOptions.y.ticks.callback = (value) => options.tickText(Number(value), axis?.step ?? 1)
  }
  Chart.defaults.font.family = theme.font
  const chart = new Chart(canvas, configuration)

  const applyTheme = () => {
    Chart.defaults.font.family = theme.font
    datasets.forEach((dataset, index) => {
      const tone = options.series[index]?.tone ?? 0
      dataset.borderColor = toneColour(theme, tone)
    })
    const { x, y } = chart.options.scales ?? {}
    if (x?.ticks) x.ticks.color = theme.text
    if (y?.ticks) y.ticks.color = theme.text
    if (y?.grid) y.grid.color = theme.grid
  }

  const fitAxes = () => {
    let low = Infinity
    let high = -Infinity
    for (const { line, low: lows, high: highs } of outlines) {
      for (const points of [line, lows, highs]) {
        for (let index = 0; index < points.count; index++) {
          const value = points.values[index] ?? Number.NaN
          if (value < low) low = value
          if (value > high) high = value
        }
      }
    }
    for (const level of levels) if (level.severity === 'info') high = Math.max(high, level.value)
    axis = valueAxis(low, high, options.unit, options.bounds, axis)
    const { x, y } = chart.options.scales ?? {}
    if (x) Object.assign(x, { min: fromMs, max: toMs })
    if (y) Object.assign(y, { min: axis.min, max: axis.max })
  }

  return {
    get plot() {
      return plotOf(chart)
    },
    setColumns: (next) => (columns = next),
    setRange: (nextFromMs, nextToMs) => {
      fromMs = nextFromMs
      toMs = nextToMs
    },
    setLevels: (next) => (levels = next),
    setMarkers: (next) => {
      markers = next
      const hasNames = markers.some(({ label }) => label)
      chart.options.layout = {
        padding: { top: paddingTopPx + (hasNames ? nameRowPx : 0), right: paddingRightPx },
      }
    },
    setTheme: (next) => {
      theme = next
      applyTheme()
    },
    resize: (widthPx, heightPx) => chart.resize(widthPx, heightPx),
    draw: () => {
      const pixels = Math.max(50, Math.round(chart.width - options.axisWidthPx - paddingRightPx))
      outlines.forEach((outline, index) => {
        const column = columns[index]
        if (column) decimate(column, fromMs, toMs, pixels, outline)
        fill(pools[index] ?? [], outline)
      })
      fitAxes()
      chart.update('none')
    },
    destroy: () => chart.destroy(),
  }
}

/** Points as Chart.js wants them, in objects that are used again: at 1 Hz their garbage would be most of the cost. */
function fill(pool: Point[], { line }: Outline): void {
  for (let index = 0; index < line.count; index++) {
    const x = line.timesMs[index] ?? 0
    const y = line.values[index] ?? Number.NaN
    const point = pool[index]
    if (point) {
      point.x = x
      point.y = y
    } else {
      pool.push({ x, y })
    }
  }
  pool.length = line.count
}

const plotOf = ({ chartArea }: Chart): PlotArea => ({
  left: chartArea?.left ?? 0,
  right: chartArea?.right ?? 0,
  top: chartArea?.top ?? 0,
  bottom: chartArea?.bottom ?? 0,
})

function scalesOf(chart: Chart): { x(timeMs: number): number; y(value: number): number } {
  const { x, y } = chart.scales
  return {
    x: (timeMs) => x?.getPixelForValue(timeMs) ?? 0,
    y: (value) => y?.getPixelForValue(value) ?? 0,
  }
}
