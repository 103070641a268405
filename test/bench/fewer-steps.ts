/**
 * Quality against cost of everything that makes denoising cheaper, with the embedded model on unseen characters of which the truth
 * is known: number of steps by either schedule, guidance off, everywhere, and in an interval.
 *
 *     npm run build && node test/bench/run.mjs fewer-steps --out FILE.jsonl --keep DIR [--characters N] [--first N] [--frames N]
 *     node test/bench/run.mjs fewer-steps-plot FILE.jsonl DIR docs/fewer-steps.svg
 *
 * One line of JSON a run, appended; what is there already is not done again. Cost is counted, not timed: branches of the UNet that
 * each window runs through. `--keep` leaves the runs. 20 frames in windows of 12 that share 3 are two windows, so there is a seam.
 */
import { appendFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { makeControlTrack } from '#dist/pipeline/control-track.js';
import { modelDirOf } from '#dist/pipeline/embedded-model.js';
import { modelFingerprint } from '#dist/pipeline/fingerprint.js';
import { inspect } from '#dist/pipeline/index.js';
import { openRun } from '#dist/pipeline/open-run.js';
import { conditionOn } from '#dist/pipeline/picture-conditioning.js';
import type { Plan } from '#dist/pipeline/plan.js';
import { renderClip } from '#dist/pipeline/render-clip.js';
import { openDevice } from '#dist/pipeline/warm/device.js';
import { locateFfmpeg } from '#dist/stages/ffmpeg/locate.js';
import { createPoseDetector } from '#dist/stages/pose/detector.js';
import { clipMetrics } from '#dist/stages/quality/clip-metrics.js';
import { windowJoints } from '#dist/stages/quality/window-joints.js';
import { loadReferencePicture } from '#dist/stages/reference/load-picture.js';
import type { RgbImage } from '#dist/stages/types.js';
import { makeClip } from '../media/media-factory.js';
import { castRate, drawClip, qualitySeeds } from '../support/cast-clip.js';
import { findPoses, flickerQuality, pictureQuality, poseQuality } from '../support/cast-quality.js';
import { throughVae } from '../support/cast-run.js';
import { type StepsResult, type StepsVariant, stepsVariants } from './fewer-steps-variants.js';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    characters: { type: 'string', default: '4' },
    first: { type: 'string', default: '0' },
    frames: { type: 'string', default: '20' },
    keep: { type: 'string' },
  },
});
const out = values.out;
if (!out) throw new Error('--out FILE.jsonl is needed');
const frames = Number(values.frames);
const seeds = qualitySeeds.slice(Number(values.first), Number(values.first) + Number(values.characters));
const size = { width: 128, height: 192 };
const done = new Set(
  (await readFile(out, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StepsResult)
    .map(({ seed, name }) => `${seed} ${name}`),
);

const folder = values.keep ?? (await mkdtemp(join(tmpdir(), 'pantomime-steps-')));
await mkdir(folder, { recursive: true });
const tools = await locateFfmpeg();
await using detector = await createPoseDetector({ model: 'full', hands: false, face: false, maxPeople: 2 });
await using device = openDevice({
  ...{ provider: 'cpu', deviceId: 0, threads: undefined, vram: 'auto', signal: undefined },
});

/** Picture and clip of a character as files, twice as large as the video, as users' files are. */
async function writeInputs(seed: number): Promise<{ readonly image: string; readonly video: string }> {
  const large = { width: size.width * 2, height: size.height * 2 };
  const clip = drawClip(seed, frames, large);
  const image = join(folder, `${seed}.png`);
  await sharp(clip.reference.data, { raw: { ...large, channels: 3 } }).toFile(image);
  const video = await makeClip(tools.ffmpeg, join(folder, `${seed}.mkv`), {
    ...{ ...large, frames, rate: String(castRate), video: ['-c:v', 'png'] },
    draw: (frame) => clip.frames[frame]?.data as Uint8Array,
  });
  return { image, video };
}

/** Poses, pictures of them and the encoded character are made once for all variants. */
async function* runsOf(seed: number, variants: readonly StepsVariant[]) {
  const inputs = await writeInputs(seed);
  const planOf = (name: string, options: StepsVariant['options']): Promise<Plan> =>
    inspect({
      ...{ ...inputs, ...size, stride: 1, align: 'none', chunk: 12, overlap: 3, crf: 8, seed: 1, residency: 'fast' },
      ...{ output: join(folder, `${seed}-${name}`), overwrite: true, ...options },
    });
  const shared = join(folder, 'shared');
  const plan = await planOf('poses', {});
  await using run = await openRun(plan, {}, { shared });
  const picture = await loadReferencePicture(inputs.image, { ...size, resample: plan.options.resample });
  const track = await makeControlTrack(run, plan, picture, () => Promise.resolve(detector));
  for (const { name, options } of variants) {
    const plan = await planOf(name, options);
    await using run = await openRun(plan, {}, { shared });
    const pictures: RgbImage[] = [];
    const engine = await device.engine(await modelFingerprint(plan));
    await renderClip(run, plan, engine, {
      conditioning: await conditionOn(run, plan, engine, picture),
      ...{ picture, track, reconstructionDb: undefined, onlyResult: true, seconds: () => 0 },
      meter: {
        onFrame: (_frame, image) => {
          pictures.push(image);
        },
      },
    });
    yield { name, plan, pictures, poses: track.aligned };
  }
}

try {
  for (const seed of seeds) {
    const wanted = stepsVariants.filter(({ name }) => !done.has(`${seed} ${name}`));
    if (wanted.length === 0) continue;
    const clip = drawClip(seed, frames, size);
    const yardstick = await throughVae(modelDirOf('embedded'), clip.frames);
    for await (const { name, plan, pictures, poses } of runsOf(seed, wanted)) {
      const found = await findPoses(detector, pictures);
      const { joints, shared } = windowJoints(plan.windows, frames + 1, 1);
      const metrics = clipMetrics({ framesPerSec: castRate, joints, shared });
      for (const [i, image] of pictures.entries()) metrics.add({ image, pose: poses?.frames[i]?.people[0] });
      const { pck10, pck05 } = poseQuality(found, clip);
      const { psnr, foregroundPsnr, ssim } = pictureQuality(pictures, clip);
      const result: StepsResult = {
        ...{ seed, name, pck10, pck05, psnr, foregroundPsnr, ssim },
        branches: plan.guidedAt.reduce((sum, guided) => sum + (guided ? 2 : 1), 0),
        teraMultiplyAdds: plan.cost.multiplyAdds / 1e12,
        flicker: flickerQuality(pictures, yardstick, clip).output,
        seam: metrics.result().seam.ratio,
      };
      await appendFile(out, `${JSON.stringify(result)}\n`);
      console.error(
        `${seed} ${name}: PCK ${pck05.toFixed(3)}, foreground ${foregroundPsnr.toFixed(2)} dB, ` +
          `flicker ${result.flicker?.toFixed(3)}, seam ${result.seam?.toFixed(2)}`,
      );
    }
  }
} finally {
  if (!values.keep) await rm(folder, { recursive: true, force: true });
}
