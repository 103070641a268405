/**
 * Quality of the embedded model on its fixed set: 24 characters and motions that no training has seen, each animated by its own
 * motion through the whole pipeline, and compared with the drawn truth.
 *
 *     npm run build && node test/bench/run.mjs embedded-quality [--sheet DIR] [--model DIR] [--characters N] [--first N]
 *         [--frames N] [--steps N] [--guidance X] [--set NAME=VALUE]...
 *
 * One JSON object on stdout, progress on stderr. Poses are found by MediaPipe (full), in the driving clip, in the output and,
 * as its ceiling, in the truth itself; `copy` is what repeating the reference picture would reach. The default of 15 frames is
 * one window of 16, the reference picture's own frame being the first.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { modelDirOf } from '#dist/pipeline/embedded-model.js';
import type { AnimateInput } from '#dist/pipeline/index.js';
import { contactSheet, sampleColumns } from '#dist/stages/contact-sheet.js';
import { locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { createPoseDetector } from '#dist/stages/pose/detector.js';
import { psnr } from '#dist/stages/quality/psnr.js';
import type { RgbImage } from '#dist/stages/types.js';
import { type CastClip, drawClip, qualitySeeds } from '../support/cast-clip.js';
import { findPoses, flickerQuality, mean, pictureQuality, poseQuality } from '../support/cast-quality.js';
import { animateSelf, throughCodec, throughVae } from '../support/cast-run.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'embedded' },
    characters: { type: 'string', default: String(qualitySeeds.length) },
    first: { type: 'string', default: '0' },
    frames: { type: 'string', default: '15' },
    width: { type: 'string', default: '128' },
    height: { type: 'string', default: '192' },
    steps: { type: 'string' },
    guidance: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    sheet: { type: 'string' },
  },
});
const size = { width: Number(values.width), height: Number(values.height) };
const count = Number(values.frames);
const first = Number(values.first);
const seeds = qualitySeeds.slice(first, first + Number(values.characters));
const changes: AnimateInput = {
  model: values.model,
  ...(values.steps && { steps: Number(values.steps) }),
  ...(values.guidance && { guidanceScale: Number(values.guidance) }),
  ...Object.fromEntries(values.set.map(parseSetting)),
};

/** `name=value`; numbers and booleans as such. */
function parseSetting(setting: string): [string, unknown] {
  const [name = '', value = ''] = setting.split(/=(.*)/s);
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, value !== '' && Number.isFinite(Number(value)) ? Number(value) : value];
}

const folder = await mkdtemp(join(tmpdir(), 'pantomime-quality-'));
const tools = await locateFfmpeg();
await using detector = await createPoseDetector({ model: 'full', hands: false, face: false, maxPeople: 2 });

type Measured = Awaited<ReturnType<typeof measure>>['quality'];

async function measure(clip: CastClip, pictures: readonly RgbImage[]) {
  const vae = await throughVae(modelDirOf(values.model), clip.frames);
  const yardstick = await throughCodec(vae, join(folder, 'yardstick.mp4'), tools);
  const copied = clip.frames.map(() => clip.reference);
  const [found, ceiling, [atEase]] = await Promise.all([
    findPoses(detector, pictures),
    findPoses(detector, clip.frames),
    findPoses(detector, [clip.reference]),
  ]);
  return {
    vae,
    quality: {
      pose: poseQuality(found, clip),
      ...pictureQuality(pictures, clip),
      flicker: flickerQuality(pictures, yardstick, clip),
      ceiling: poseQuality(ceiling, clip),
      copy: {
        pose: poseQuality(
          copied.map(() => atEase),
          clip,
        ),
        ...pictureQuality(copied, clip),
      },
      vaePsnr: mean(clip.frames.map((truth, i) => psnr(vae[i] as RgbImage, truth))),
    },
  };
}

/** One row of the overview: how a character came out in the middle of its clip. */
type Glance = { readonly clip: CastClip; readonly pictures: readonly RgbImage[] };

async function writeSheet(dir: string, { clip, pictures }: Glance, vae: readonly RgbImage[]): Promise<void> {
  const columns = sampleColumns(clip.frames.length);
  const pick = (from: readonly RgbImage[]) => columns.map((i) => from[i] as RgbImage);
  const rows = [
    { label: 'truth', images: pick(clip.frames) },
    { label: 'output', images: pick(pictures) },
    { label: 'vae', images: pick(vae) },
  ];
  const sheet = await contactSheet({ reference: clip.reference, rows, captions: columns.map(String), cellWidth: 192 });
  await writeFile(join(dir, `${clip.seed}.png`), sheet);
}

/** All characters in one picture, `perSheet` to a sheet. */
async function writeOverview(dir: string, glances: readonly Glance[]): Promise<void> {
  const perSheet = 12;
  for (let at = 0; at < glances.length; at += perSheet) {
    const some = glances.slice(at, at + perSheet);
    const rows = [
      { label: 'reference', images: some.map(({ clip }) => clip.reference) },
      ...[5, 11].flatMap((frame) => [
        { label: 'truth', images: some.map(({ clip }) => clip.frames[Math.min(frame, count - 1)] as RgbImage) },
        { label: 'output', images: some.map(({ pictures }) => pictures[Math.min(frame, count - 1)] as RgbImage) },
      ]),
    ];
    await writeFile(join(dir, `overview-${at / perSheet}.png`), await contactSheet({ rows, cellWidth: 128 }));
  }
}

try {
  if (values.sheet) await mkdir(values.sheet, { recursive: true });
  const characters: (Measured & { readonly seed: number; readonly seconds: number })[] = [];
  const glances: Glance[] = [];
  for (const seed of seeds) {
    const begun = performance.now();
    const { pictures } = await animateSelf(seed, count, { folder, size, tools, changes });
    const clip = drawClip(seed, count, size);
    const { vae, quality } = await measure(clip, pictures);
    if (values.sheet) {
      glances.push({ clip, pictures });
      await writeSheet(values.sheet, { clip, pictures }, vae);
      await writeOverview(values.sheet, glances);
    }
    characters.push({ seed, ...quality, seconds: (performance.now() - begun) / 1000 });
    const { pose, foregroundPsnr, colorError, flicker } = quality;
    console.error(
      `${seed} PCK ${pose.pck10.toFixed(3)} ${pose.pck05.toFixed(3)}, foreground ${foregroundPsnr.toFixed(1)} dB, ` +
        `colour ${colorError.toFixed(1)}, flicker ${flicker.output?.toFixed(2)} (${flicker.ratio?.toFixed(2)} times)`,
    );
  }
  const over = (value: (character: (typeof characters)[number]) => number | undefined) => mean(characters.map(value));
  const pose = (of: (character: (typeof characters)[number]) => (typeof characters)[number]['pose']) => ({
    pck10: over((c) => of(c).pck10),
    pck05: over((c) => of(c).pck05),
    limbs10: over((c) => of(c).limbs10),
    found: over((c) => of(c).found),
  });
  const mean24 = {
    pose: pose((c) => c.pose),
    psnr: over((c) => c.psnr),
    foregroundPsnr: over((c) => c.foregroundPsnr),
    ssim: over((c) => c.ssim),
    colorError: over((c) => c.colorError),
    flicker: {
      output: over((c) => c.flicker.output),
      yardstick: over((c) => c.flicker.yardstick),
      ratio: over((c) => c.flicker.ratio),
    },
    vaePsnr: over((c) => c.vaePsnr),
    ceiling: pose((c) => c.ceiling),
    copy: {
      pose: pose((c) => c.copy.pose),
      psnr: over((c) => c.copy.psnr),
      foregroundPsnr: over((c) => c.copy.foregroundPsnr),
    },
    seconds: over((c) => c.seconds),
  };
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value);
  const settings = { ...size, frames: count, ...changes };
  process.stdout.write(`${JSON.stringify({ settings, mean: mean24, characters }, rounded, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
