import Chart from 'chart.js/auto'
import { canvas, eachFrame, figure, pointCount, seriesCount, startMs } from './samples.ts'

// As the library's first example does it: points as objects, made anew for each update, all defaults but animation.
const pointsAt = (turn: number) =>
  Array.from({ length: seriesCount }, (_, series) =>
    Array.from({ length: pointCount }, (_, index) => ({
      x: startMs + (turn + index) * 1000,
      y: figure(series, turn + index),
    })),
  )

const chart = new Chart(canvas(), {
  type: 'line',
  data: { datasets: pointsAt(0).map((data, series) => ({ label: `series ${series}`, data })) },
  options: { animation: false, responsive: false, scales: { x: { type: 'linear' } } },
})

window.runUpdates = (count) =>
  eachFrame(count, (turn) => {
    pointsAt(turn).forEach((data, series) => {
      const dataset = chart.data.datasets[series]
      if (dataset) dataset.data = data
    })
    chart.update()
  })
