import type { ChartTheme } from './time-chart.ts'

/** Reads the colours of charts from the CSS tokens that hold at `element`. */
export function readChartTheme(element: Element): ChartTheme {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: token('--muted'),
    surface: token('--panel'),
    grid: token('--line'),
    series: [1, 2, 3, 4, 5, 6].map((tone) => token(`--series-${tone}`)),
    stable: token('--stable'),
    candidate: token('--candidate'),
    info: token('--muted'),
    ok: token('--ok'),
    warning: token('--warn'),
    critical: token('--crit'),
    font: token('--font') || 'sans-serif',
  }
}

/** Calls `changed` when the page gets the other theme, by its switch or by the system; the result stops it. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme', 'class'] })
  const system = matchMedia('(prefers-color-scheme: dark)')
  system.addEventListener('change', changed)
  return () => {
    observer.disconnect()
    system.removeEventListener('change', changed)
  }
}
