import { createChartJsTimeChart } from '../../../src/renderer/charts/chart-js-time-chart.ts'
import { Columns } from '../../../src/renderer/charts/columns.ts'
import { canvas, eachFrame, figure, pointCount, seriesCount, startMs } from './samples.ts'

const chart = createChartJsTimeChart(canvas(), {
  series: Array.from({ length: seriesCount }, (_, tone) => ({
    label: `series ${tone}`,
    tone,
    dash: [],
    isFilled: tone === 0,
  })),
  unit: 'ratio',
  bounds: { leastMax: 1, fixedMax: 1 },
  axisWidthPx: 64,
  tickText: (value) => `${value * 100} %`,
  theme: {
    text: '#a0adba',
    surface: '#10161d',
    grid: '#1f2934',
    series: ['#62c3ff', '#d7a6ff', '#59d6b2', '#f2d675'],
    stable: '#7aa2f7',
    candidate: '#ffab5e',
    info: '#a0adba',
    ok: '#3ddc97',
    warning: '#f5c451',
    critical: '#ff7b7b',
    font: 'sans-serif',
  },
})
const columns = Array.from({ length: seriesCount }, (_, series) => {
  const column = new Columns(undefined, 0)
  for (let second = 0; second < pointCount; second++)
    column.append(startMs + second * 1000, figure(series, second))
  return column
})
chart.resize(680, 168)
chart.setColumns(columns)

// What a live second costs: the samples appended, the old ones forgotten, the range moved on, the chart drawn.
window.runUpdates = (count) =>
  eachFrame(count, (turn) => {
    const second = pointCount + turn
    columns.forEach((column, series) => {
      column.append(startMs + second * 1000, figure(series, second))
      column.trimBefore(startMs + (second - pointCount) * 1000)
    })
    chart.setRange(startMs + (second - pointCount) * 1000, startMs + second * 1000)
    chart.draw()
  })
