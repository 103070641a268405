/**
 * The one shape of a cast: the hull of two similar ellipsoids, seen along the z axis. An ellipsoid is a sweep of length
 * nought, a capsule or rounded cone one with round ends. Everything is in samples of the canvas: x right, y down, z
 * towards the viewer.
 */
export type Sweep = {
  /** Centre of the first ellipsoid and the way from it to the second. */
  readonly at: Triple;
  readonly along: Triple;
  /** Size of the first ellipsoid, and how much larger the second one is. */
  readonly size: number;
  readonly growth: number;
  /** The ellipsoids are all p with (p - c)' M (p - c) = size^2; M as xx, xy, xz, yy, yz, zz. */
  readonly form: readonly [number, number, number, number, number, number];
  /** Half extents of an ellipsoid of size 1 in x and y. */
  readonly extent: readonly [number, number];
  /** Surface with normal . p over the offset is cut away: normal x, y, z, offset. */
  readonly cut: readonly [number, number, number, number] | undefined;
};

export type Triple = readonly [number, number, number];

/** What is nearest to the viewer at every sample. `owner` is 1 + the number of the sweep, 0 for nothing. */
export type Canvas = {
  readonly width: number;
  readonly height: number;
  readonly depth: Float32Array;
  /** Unit normals, three values a sample. */
  readonly normal: Float32Array;
  readonly owner: Uint16Array;
};

export function createCanvas(width: number, height: number): Canvas {
  const count = width * height;
  const canvas = {
    width,
    height,
    depth: new Float32Array(count),
    normal: new Float32Array(count * 3),
    owner: new Uint16Array(count),
  };
  clearCanvas(canvas);
  return canvas;
}

export function clearCanvas({ depth, owner }: Canvas): void {
  depth.fill(-Infinity);
  owner.fill(0);
}

/**
 * Draws one sweep. At a sample the ellipsoid at share t of the way has its front at z(t) = linear(t) + sqrt(f(t)) with a
 * quadratic f = a t^2 + 2 b t + c; the surface seen is at the t in 0..1 of the greatest z.
 */
export function drawSweep(canvas: Canvas, { at, along, size, growth, form, extent, cut }: Sweep, owner: number): void {
  const { width, height, depth, normal, owner: owners } = canvas;
  const [xx, xy, xz, yy, yz, zz] = form;
  const [dx, dy, dz] = along;
  const end = size + growth;
  const [ex, ey] = extent;
  const left = Math.max(0, Math.ceil(Math.min(at[0] - ex * size, at[0] + dx - ex * end) - 0.5));
  const right = Math.min(width - 1, Math.floor(Math.max(at[0] + ex * size, at[0] + dx + ex * end) - 0.5));
  const top = Math.max(0, Math.ceil(Math.min(at[1] - ey * size, at[1] + dy - ey * end) - 0.5));
  const bottom = Math.min(height - 1, Math.floor(Math.max(at[1] + ey * size, at[1] + dy + ey * end) - 0.5));
  // The form seen along z: what it is in x and y once z is at its best.
  const tx = xz / zz;
  const ty = yz / zz;
  const qxx = (xx - xz * tx) / zz;
  const qxy = (xy - xz * ty) / zz;
  const qyy = (yy - yz * ty) / zz;
  const wx = qxx * dx + qxy * dy;
  const wy = qxy * dx + qyy * dy;
  const a = (growth * growth) / zz - (wx * dx + wy * dy);
  const slope = dz + tx * dx + ty * dy;
  const bend = slope * slope - a;
  // With a >= 0 one end hides the other or nearly so: look at a few places instead of solving.
  const solvable = a < -1e-6;
  const still = !solvable && Math.abs(slope) + Math.abs(growth) < 1e-9;
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - at[1];
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - at[0];
      const b = (size * growth) / zz + px * wx + py * wy;
      const c = (size * size) / zz - (qxx * px * px + 2 * qxy * px * py + qyy * py * py);
      let t = 0;
      let f = c;
      if (solvable) {
        const reach = b * b - a * c;
        if (reach < 0) continue;
        const u = Math.sqrt(reach / bend) * -slope;
        t = (u - b) / a;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        f = (a * t + 2 * b) * t + c;
      } else if (!still) {
        let best = -Infinity;
        for (let step = 0; step <= 8; step++) {
          const tried = step / 8;
          const g = (a * tried + 2 * b) * tried + c;
          if (g < 0) continue;
          const z = tried * slope + Math.sqrt(g);
          if (z > best) {
            best = z;
            t = tried;
            f = g;
          }
        }
      }
      if (f < 0) continue;
      const x = px - t * dx;
      const y = py - t * dy;
      const z = Math.sqrt(f) - tx * x - ty * y;
      const nearness = at[2] + t * dz + z;
      const index = row * width + column;
      if (nearness <= (depth[index] as number)) continue;
      if (cut && cut[0] * (column + 0.5) + cut[1] * (row + 0.5) + cut[2] * nearness > cut[3]) continue;
      const nx = xx * x + xy * y + xz * z;
      const ny = xy * x + yy * y + yz * z;
      const nz = xz * x + yz * y + zz * z;
      const shorten = 1 / Math.sqrt(nx * nx + ny * ny + nz * nz);
      depth[index] = nearness;
      owners[index] = owner;
      normal[index * 3] = nx * shorten;
      normal[index * 3 + 1] = ny * shorten;
      normal[index * 3 + 2] = nz * shorten;
    }
  }
}

/** Depth of a sweep's front at a place of the picture; -Infinity beside it and where it is cut away. */
export function frontOf({ at, along, size, growth, form, cut }: Sweep, x: number, y: number): number {
  const [xx, xy, xz, yy, yz, zz] = form;
  let front = -Infinity;
  for (let step = 0; step <= 8; step++) {
    const t = step / 8;
    const px = x - at[0] - t * along[0];
    const py = y - at[1] - t * along[1];
    const r = size + t * growth;
    const middle = (xz * px + yz * py) / zz;
    const room = middle * middle - (xx * px * px + 2 * xy * px * py + yy * py * py - r * r) / zz;
    if (room >= 0) front = Math.max(front, at[2] + t * along[2] - middle + Math.sqrt(room));
  }
  return cut && cut[0] * x + cut[1] * y + cut[2] * front > cut[3] ? -Infinity : front;
}
