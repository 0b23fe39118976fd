/**
 * Signed distance to the edge of a shape, negative inside, in units of a canvas from -1 to 1 with y downwards.
 */
export type Shape = (x: number, y: number) => number

export const disc =
  (radius: number, cx = 0, cy = 0): Shape =>
  (x, y) =>
    Math.hypot(x - cx, y - cy) - radius

export const ring =
  (radius: number, width: number): Shape =>
  (x, y) =>
    Math.abs(Math.hypot(x, y) - radius) - width / 2

/** A square standing on its corner; `reach` is the distance from the middle to a corner. */
export const diamond =
  (reach: number): Shape =>
  (x, y) =>
    (Math.abs(x) + Math.abs(y) - reach) / Math.SQRT2

/** Convex, corners clockwise. */
export const polygon =
  (corners: readonly (readonly [number, number])[]): Shape =>
  (x, y) =>
    Math.max(
      ...corners.map(([ax, ay], index) => {
        const [bx, by] = corners[(index + 1) % corners.length] ?? [ax, ay]
        return ((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / Math.hypot(bx - ax, by - ay)
      }),
    )

export const roundedSquare =
  (half: number, corner: number): Shape =>
  (x, y) => {
    const dx = Math.abs(x) - half + corner
    const dy = Math.abs(y) - half + corner
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - corner
  }

/** A line with round ends. */
export const stroke =
  (ax: number, ay: number, bx: number, by: number, width: number): Shape =>
  (x, y) => {
    const length2 = (bx - ax) ** 2 + (by - ay) ** 2
    const along = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2))
    return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) - width / 2
  }

export const union =
  (...shapes: readonly Shape[]): Shape =>
  (x, y) =>
    Math.min(...shapes.map((shape) => shape(x, y)))

export const grown =
  (shape: Shape, by: number): Shape =>
  (x, y) =>
    shape(x, y) - by
