import { add, dot, type Frame, length, place, scale, sub, turn, type Vec3 } from './vec.js';

/** Linear-light colour, 0..1. */
export type Rgb = readonly [r: number, g: number, b: number];

/** How a surface takes light. */
export type Material = {
  /** Colour at a point in the coordinates of the bone that the nearest primitive hangs on. */
  readonly paint: (at: Vec3, part: string) => Rgb;
  /** Height in metres added to the surface: folds and strands. */
  readonly relief?: (at: Vec3, part: string) => number;
  /** Strength and sharpness of the highlight. */
  readonly gloss: number;
  readonly shine: number;
  /** Light that creeps around edges: skin and hair rims. */
  readonly soft: number;
  /** Light of its own, as a share of the painted colour. */
  readonly glow?: number;
};

/**
 * One solid of the figure: a cone with round (or flat) ends, in a stretched local frame. `m` maps world to that
 * frame; s are the stretch factors, by which a distance found there is taken back to metres.
 */
export type Solid = {
  readonly op: 'join' | 'cut';
  readonly flat: boolean;
  readonly blend: number;
  readonly part: string;
  readonly bone: Frame;
  /** World to stretched local coordinates, rows. */
  readonly m00: number;
  readonly m01: number;
  readonly m02: number;
  readonly m03: number;
  readonly m10: number;
  readonly m11: number;
  readonly m12: number;
  readonly m13: number;
  readonly m20: number;
  readonly m21: number;
  readonly m22: number;
  readonly m23: number;
  readonly sx: number;
  readonly sz: number;
  /** Length of the axis, radii at its ends. The axis runs from the local origin along y. */
  readonly axis: number;
  readonly r0: number;
  readonly r1: number;
  readonly sy: number;
  /** Bounding capsule in the world. */
  readonly from: Vec3;
  readonly to: Vec3;
  readonly bound: number;
};

/** Solids of one material, blended smoothly into each other in the order given. */
export type Layer = { readonly name: string; readonly material: Material; readonly solids: readonly Solid[] };

export type SolidOptions = {
  /** Width of the smooth seam to what the layer holds already, in metres. */
  readonly blend?: number;
  /** Half-width across x and z relative to the radius (e.g. [1, 0.6]: flattened front to back). */
  readonly cross?: readonly [number, number];
  /** Ends cut flat instead of rounded. */
  readonly flat?: boolean;
  readonly op?: 'join' | 'cut';
  readonly part?: string;
  /** Direction (bone coordinates) that the flattened side faces; z of the bone by default. */
  readonly face?: Vec3;
};

/** A cone with round ends between two points in the coordinates of `bone`. */
export function cone(bone: Frame, a: Vec3, b: Vec3, ra: number, rb: number, options: SolidOptions = {}): Solid {
  const [cx, cz] = options.cross ?? [1, 1];
  const from = place(bone, a);
  const to = place(bone, b);
  const span = sub(to, from);
  const axis = length(span);
  const y = axis > 1e-6 ? scale(span, 1 / axis) : bone.y;
  const wanted = turn(bone, options.face ?? [0, 0, 1]);
  let z = sub(wanted, scale(y, dot(wanted, y)));
  if (length(z) < 1e-3) z = sub(bone.x, scale(y, dot(bone.x, y)));
  return solid(bone, from, axis, y, scale(z, 1 / length(z)), ra, rb, [1 / cx, 1, 1 / cz], options);
}

/** An ellipsoid in the coordinates of `bone`. */
export function ball(bone: Frame, centre: Vec3, radii: Vec3, options: SolidOptions = {}): Solid {
  const stretch: Vec3 = [1 / radii[0], 1 / radii[1], 1 / radii[2]];
  return solid(bone, place(bone, centre), 0, bone.y, bone.z, 1, 1, stretch, options);
}

function solid(
  bone: Frame,
  from: Vec3,
  axis: number,
  y: Vec3,
  z: Vec3,
  r0: number,
  r1: number,
  [sx, sy, sz]: Vec3,
  { blend = 0, flat = false, op = 'join', part = '' }: SolidOptions,
): Solid {
  const x: Vec3 = [y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]];
  const row = (v: Vec3, s: number) => [v[0] * s, v[1] * s, v[2] * s, -dot(v, from) * s] as const;
  const [m00, m01, m02, m03] = row(x, sx);
  const [m10, m11, m12, m13] = row(y, sy);
  const [m20, m21, m22, m23] = row(z, sz);
  const bound = Math.max(r0, r1) / Math.min(sx, sy, sz);
  const to = add(from, scale(y, axis));
  const rows = { m00, m01, m02, m03, m10, m11, m12, m13, m20, m21, m22, m23 };
  return { op, flat, blend, part, bone, ...rows, sx, sz, axis, r0, r1, sy, from, to, bound };
}

/** Signed distance in metres to one solid (first order where it is stretched). */
function distanceTo(s: Solid, x: number, y: number, z: number): number {
  const px = s.m00 * x + s.m01 * y + s.m02 * z + s.m03;
  const py = s.m10 * x + s.m11 * y + s.m12 * z + s.m13;
  const pz = s.m20 * x + s.m21 * y + s.m22 * z + s.m23;
  const axis = s.axis;
  if (s.flat) {
    const t = py < 0 ? 0 : py > axis ? 1 : py / axis;
    const rho = Math.sqrt(px * px + pz * pz);
    const g = Math.sqrt(s.sx * s.sx * px * px + s.sz * s.sz * pz * pz) / (rho + 1e-9);
    const side = (rho - s.r0 - (s.r1 - s.r0) * t) / (g + 1e-6);
    const end = Math.max(py - axis, -py);
    // Edges rounded by 4 mm.
    const h = 0.5 - (0.5 * Math.abs(side - end)) / 0.008;
    const rim = h > 0 ? h * h * 0.008 : 0;
    return Math.max(side, end) + rim;
  }
  const t = axis > 0 ? (py < 0 ? 0 : py > axis ? 1 : py / axis) : 0;
  const qy = py - t * axis;
  const size = Math.sqrt(px * px + qy * qy + pz * pz);
  const gx = s.sx * px;
  const gy = s.sy * qy;
  const gz = s.sz * pz;
  const g = Math.sqrt(gx * gx + gy * gy + gz * gz) / (size + 1e-9);
  return (size - s.r0 - (s.r1 - s.r0) * t) / (g + 1e-6);
}

/** Polynomial smooth minimum: equal to min(a, b) where they differ by k or more. */
function smoothMin(a: number, b: number, k: number): number {
  const d = a - b;
  if (d >= k) return b;
  if (d <= -k) return a;
  const h = 0.5 - (0.5 * d) / k;
  return b + (a - b) * h - k * h * (1 - h);
}

/** Signed distance to a layer given the solids near the point. */
function layerDistance(solids: readonly Solid[], x: number, y: number, z: number): number {
  let d = 1e9;
  for (const s of solids) {
    const e = distanceTo(s, x, y, z);
    if (s.op === 'cut') d = -smoothMin(-d, e, s.blend);
    else d = smoothMin(d, e, s.blend);
  }
  return d;
}

type Near = { readonly layer: Layer; readonly solids: Solid[] };

/** What a point of the surface belongs to. */
export type Hit = { readonly layer: Layer; readonly solid: Solid };

export type Field = {
  readonly min: Vec3;
  readonly max: Vec3;
  /** Distance to the figure, but never more than `reach`. */
  readonly distance: (x: number, y: number, z: number) => number;
  /** The layer and solid nearest to a point on the surface. */
  readonly hit: (x: number, y: number, z: number) => Hit | undefined;
};

/**
 * Distance field of all layers over a grid whose cells list the solids that come within `reach` of them, so that a
 * point costs a handful of solids instead of all. `reach` must be at least the widest blend.
 */
export function fieldOf(layers: readonly Layer[], cell: number, reach: number): Field {
  const solids = layers.flatMap((l) => l.solids.filter((s) => s.op === 'join'));
  const low = (k: 0 | 1 | 2) => Math.min(...solids.map((s) => Math.min(s.from[k], s.to[k]) - s.bound)) - reach;
  const high = (k: 0 | 1 | 2) => Math.max(...solids.map((s) => Math.max(s.from[k], s.to[k]) + s.bound)) + reach;
  const min: Vec3 = [low(0), low(1), low(2)];
  const max: Vec3 = [high(0), high(1), high(2)];
  const nx = Math.ceil((max[0] - min[0]) / cell);
  const ny = Math.ceil((max[1] - min[1]) / cell);
  const nz = Math.ceil((max[2] - min[2]) / cell);
  const cells: (Near[] | undefined)[] = new Array(nx * ny * nz).fill(undefined);
  for (const layer of layers) for (const s of layer.solids) enter(layer, s);

  /** Put a solid into the list of every cell it comes within `reach` of. */
  function enter(layer: Layer, s: Solid): void {
    const grow = s.bound + reach;
    const half = (cell * Math.sqrt(3)) / 2;
    const range = (k: 0 | 1 | 2, count: number) => {
      const first = Math.floor((Math.min(s.from[k], s.to[k]) - grow - min[k]) / cell);
      const last = Math.floor((Math.max(s.from[k], s.to[k]) + grow - min[k]) / cell);
      return [Math.max(0, first), Math.min(count - 1, last)] as const;
    };
    const [i0, i1] = range(0, nx);
    const [j0, j1] = range(1, ny);
    const [k0, k1] = range(2, nz);
    for (let k = k0; k <= k1; k++)
      for (let j = j0; j <= j1; j++)
        for (let i = i0; i <= i1; i++) {
          const [x, y, z] = [min[0] + (i + 0.5) * cell, min[1] + (j + 0.5) * cell, min[2] + (k + 0.5) * cell];
          if (capsuleGap(s, x, y, z) - half >= reach) continue;
          const index = (k * ny + j) * nx + i;
          cells[index] ??= [];
          const list = cells[index];
          const last = list?.at(-1);
          if (last?.layer === layer) last.solids.push(s);
          else if (s.op === 'join') list?.push({ layer, solids: [s] });
        }
  }

  const cellAt = (x: number, y: number, z: number): Near[] | undefined => {
    const i = Math.floor((x - min[0]) / cell);
    const j = Math.floor((y - min[1]) / cell);
    const k = Math.floor((z - min[2]) / cell);
    return i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz ? undefined : cells[(k * ny + j) * nx + i];
  };
  const distance = (x: number, y: number, z: number): number => {
    let d = reach;
    const found = cellAt(x, y, z);
    if (!found) return d;
    for (const near of found) {
      const e = layerDistance(near.solids, x, y, z);
      if (e < d) d = e;
    }
    return d;
  };
  const hit = (x: number, y: number, z: number): Hit | undefined => {
    let best = Infinity;
    let nearest: Near | undefined;
    for (const near of cellAt(x, y, z) ?? []) {
      const e = layerDistance(near.solids, x, y, z);
      if (e < best) {
        best = e;
        nearest = near;
      }
    }
    if (!nearest) return undefined;
    let closest = Infinity;
    let solid: Solid | undefined;
    for (const s of nearest.solids) {
      const e = s.op === 'join' ? distanceTo(s, x, y, z) : Infinity;
      if (e < closest) {
        closest = e;
        solid = s;
      }
    }
    return solid && { layer: nearest.layer, solid };
  };
  return { min, max, distance, hit };
}

/** Lower bound of the distance from a point to a solid, by its bounding capsule. */
function capsuleGap(s: Solid, x: number, y: number, z: number): number {
  const dx = s.to[0] - s.from[0];
  const dy = s.to[1] - s.from[1];
  const dz = s.to[2] - s.from[2];
  const px = x - s.from[0];
  const py = y - s.from[1];
  const pz = z - s.from[2];
  const sq = dx * dx + dy * dy + dz * dz;
  const t = sq > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy + pz * dz) / sq)) : 0;
  const [gx, gy, gz] = [px - t * dx, py - t * dy, pz - t * dz];
  return Math.sqrt(gx * gx + gy * gy + gz * gz) - s.bound;
}
