/** How the first slot of later windows is filled: see `contextWindows`. */
export type Anchor = 'reference' | 'true';

/** Weight of a window's slots where windows overlap. */
export type Fusion = 'flat' | 'triangular' | 'overlap-linear';

/** One forward of the network: which frame's latents, whose pose and how much the result counts, per slot. */
export type ContextWindow = {
  /** Global frame index of each slot's latents. */
  readonly frames: readonly number[];
  /** Global frame index of each slot's pose picture. */
  readonly poses: readonly number[];
  /** Share of each slot's prediction in its frame, before normalisation; 0 leaves it out. */
  readonly weights: readonly number[];
};

export type WindowOptions = {
  /** Frames of one forward; clamped to the number of frames. */
  readonly chunk: number;
  /** Frames that neighbouring windows share (0 <= overlap < chunk). */
  readonly overlap: number;
  readonly anchor: Anchor;
  readonly fusion: Fusion;
  /** 0 <= phase < 1: fraction of a stride by which the inner windows are moved; 0 is the published layout. */
  readonly phase?: number;
};

/**
 * The windows of one denoising step over `count` frames (frame 0 is the reference picture's own).
 *
 * `reference` is the published loop: starts 0, S, 2S, ... (S = chunk - overlap), the last one shifted back to end at the
 * last frame; slot 0 of every window is shown frame 0's pose, and in later windows its result is discarded. Where
 * nothing else would cover that frame (overlap 0, where the published loop divides 0 by 0) the slot keeps its own pose
 * and its result.
 *
 * `true` puts the true frame 0, latents and pose, into slot 0 of every later window as context (after MimicMotion); the
 * other slots tile the remaining frames.
 *
 * Every frame is covered by a positive weight for any count >= 1 and any 0 <= overlap < chunk.
 */
export function contextWindows(count: number, options: WindowOptions): ContextWindow[] {
  const chunk = Math.min(options.chunk, count);
  const anchored = options.anchor === 'true' && chunk > 1 && chunk < count;
  // A true anchor takes one slot, so the rest of the window tiles frames 1.. with one frame less.
  const span = anchored ? chunk - 1 : chunk;
  const first = anchored ? 1 : 0;
  const stride = Math.min(span, Math.max(1, chunk - options.overlap));
  const starts = windowStarts(count - first, span, stride, options.phase ?? 0);
  const spans = starts.map((start) => Array.from({ length: span }, (_, slot) => first + start + slot));

  const windows = spans.map((frames, k) => {
    const weights = slotWeights(
      options.fusion,
      span,
      sharedWith(spans[k - 1], frames),
      sharedWith(spans[k + 1], frames),
    );
    if (!anchored) return { frames, poses: [...frames], weights };
    // The first window also speaks for frame 0 itself; in the others it is context only.
    return { frames: [0, ...frames], poses: [0, ...frames], weights: [k === 0 ? 1 : 0, ...weights] };
  });
  return options.anchor === 'reference' ? windows.map((window, k) => discardSlot0(window, k, spans)) : windows;
}

/** Starts of spans of `span` over `count` places, `stride` apart, moved left by `phase` strides, first at 0, last at the end. */
function windowStarts(count: number, span: number, stride: number, phase: number): number[] {
  const last = count - span;
  const starts = [0];
  const offset = Math.round(phase * stride) % stride;
  for (let next = stride - offset; (starts.at(-1) as number) < last; next += stride) starts.push(Math.min(next, last));
  return starts;
}

function sharedWith(neighbour: readonly number[] | undefined, frames: readonly number[]): number {
  return neighbour ? frames.filter((frame) => neighbour.includes(frame)).length : 0;
}

/** Slot weights of a window that shares `before` frames with the one before it and `after` with the one after. */
function slotWeights(fusion: Fusion, length: number, before: number, after: number): number[] {
  return Array.from({ length }, (_, slot) => {
    if (fusion === 'flat') return 1;
    if (fusion === 'triangular') return Math.min(((slot + 0.5) * 2) / length, 2 - ((slot + 0.5) * 2) / length);
    // Ramps run over the frames really shared, so a shifted last window blends as evenly as the others.
    const rise = slot < before ? (slot + 1) / (before + 1) : 1;
    const fall = length - 1 - slot < after ? (length - slot) / (after + 1) : 1;
    return Math.min(rise, fall);
  });
}

/** The published frame-0 rule. */
function discardSlot0(window: ContextWindow, k: number, spans: readonly (readonly number[])[]): ContextWindow {
  const frame = window.frames[0] as number;
  // Covered by another window in a slot that is not itself discarded.
  const covered = spans.some((span, j) => j !== k && (j === 0 || span[0] !== frame) && span.includes(frame));
  if (k === 0 || !covered) return window;
  return { ...window, poses: [0, ...window.poses.slice(1)], weights: [0, ...window.weights.slice(1)] };
}

/**
 * Phase of step `step`: its index with the bits reversed, as a fraction (0, 1/2, 1/4, 3/4, 1/8, ...), so that window
 * joints never stay at the same frames and are spread evenly after any number of steps (van der Corput sequence).
 */
export function rotatingPhase(step: number): number {
  let phase = 0;
  for (let bit = 0.5, rest = step; rest > 0; rest = Math.floor(rest / 2), bit /= 2) phase += (rest % 2) * bit;
  return phase;
}

/** Frames run through the network for each frame made: 1 for one window, about chunk / (chunk - overlap) for many. */
export function costFactor(windows: readonly ContextWindow[], count: number): number {
  return windows.reduce((sum, window) => sum + window.frames.length, 0) / count;
}
