import { roundHalfEven } from '../../models/round-half-even.js';

/** A picture scaled to `scaledWidth` x `scaledHeight`, of which the window at (left, top) of `width` x `height` is used. */
export type CoverWindow = {
  readonly scaledWidth: number;
  readonly scaledHeight: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

/**
 * Scale-to-cover and centre crop with the published arithmetic: one side fits exactly, the other is rounded up, and half
 * texels of the crop's offset are rounded to even. Sizes in pixels.
 */
export function coverWindow(
  picture: { readonly width: number; readonly height: number },
  { width, height }: { readonly width: number; readonly height: number },
): CoverWindow {
  const ratio = picture.height / picture.width;
  const wide = ratio < height / width;
  const scaledWidth = wide ? Math.ceil(height / ratio) : width;
  const scaledHeight = wide ? height : Math.ceil(width * ratio);
  const offset = (scaled: number, side: number) => roundHalfEven((scaled - side) / 2);
  return {
    scaledWidth,
    scaledHeight,
    left: offset(scaledWidth, width),
    top: offset(scaledHeight, height),
    width,
    height,
  };
}
