import type { AnimateInput } from '#dist/pipeline/index.js';

/** One way to spend less, or to spend all. */
export type StepsVariant = { readonly name: string; readonly options: AnimateInput };

/** What one variant made of one character. */
export type StepsResult = {
  readonly seed: number;
  readonly name: string;
  /** Branches of the UNet that each window runs through. */
  readonly branches: number;
  /** Of the whole run, in 1e12. */
  readonly teraMultiplyAdds: number;
  readonly pck10: number;
  readonly pck05: number;
  /** dB */
  readonly psnr: number;
  readonly foregroundPsnr: number;
  readonly ssim: number;
  /** Levels of 0..255 on the background that stands still. */
  readonly flicker: number | undefined;
  /** Change at the joint of the windows over that elsewhere. */
  readonly seam: number | undefined;
};

/** The scale at which the embedded model is shown with guidance; its own default is none. */
export const guidanceScale = 1.8;

const schedules = (['karras', 'ays'] as const).flatMap((scheduler) =>
  [4, 6, 8, 10, 15, 25].map(
    (steps): StepsVariant => ({ name: `${scheduler}-${steps}`, options: { scheduler, steps, guidanceScale: 1 } }),
  ),
);
const guided = (name: string, steps: number, guidanceInterval: string | null): StepsVariant => ({
  name: `${name}-${steps}`,
  options: { scheduler: 'ays', steps, guidanceScale, guidanceInterval },
});

export const stepsVariants: readonly StepsVariant[] = [
  ...schedules,
  ...[4, 6, 10].flatMap((steps) => [guided('full', steps, null), guided('interval', steps, '0.28..5.42')]),
  guided('low', 10, '..0.28'),
  guided('high', 10, '5.42..'),
].toSorted((a, b) => (a.options.steps as number) - (b.options.steps as number));
