export const seriesCount = 4
export const pointCount = 3600
export const startMs = Date.UTC(2026, 0, 1)

/** A figure that moves as load does: waves, noise that is the same in each run, and a spike now and then. */
export function figure(series: number, second: number): number {
  const noise = ((second * 2_654_435_761 + series * 40_503) >>> 0) / 2 ** 32
  const wave = 0.5 + 0.3 * Math.sin(second / (40 + series * 17))
  return second % 97 === series ? 0.98 : wave * 0.8 + noise * 0.15
}

/** Runs `update` once a frame, `count` times; gives what each took, milliseconds. */
export async function eachFrame(count: number, update: (turn: number) => void): Promise<number[]> {
  const took: number[] = []
  for (let turn = 0; turn < count; turn++) {
    await new Promise(requestAnimationFrame)
    const startedAt = performance.now()
    update(turn)
    took.push(performance.now() - startedAt)
  }
  return took
}

export const canvas = (): HTMLCanvasElement => {
  const element = document.createElement('canvas')
  element.width = 680
  element.height = 168
  document.body.append(element)
  return element
}

declare global {
  interface Window {
    /** What each of `count` updates took, milliseconds. */
    runUpdates: (count: number) => Promise<number[]>
  }
}
