import { createRequire } from 'node:module';
import { PantomimeError } from '../models/errors.js';
import type { EngineMemory } from '../models/runtime/engine.js';
import type { FloatTensor } from '../models/tensor.js';
import { contactSheet } from '../stages/contact-sheet.js';
import { writePoseJson } from '../stages/pose/pose-json.js';
import type { RgbImage } from '../stages/types.js';
import type { ControlTrack } from './control-track.js';
import { describeControls } from './controls.js';
import type { RunResult } from './events.js';
import { writeAtomic } from './files.js';
import { hashFile } from './hashes.js';
import type { Plan } from './plan.js';
import { repeatableOptions, repeatCommand } from './repeat.js';
import type { Run } from './run.js';
import { writeTensors } from './tensor-file.js';
import { engineUse } from './timeline/engine-use.js';
import type { Videos } from './videos.js';

/** What a run has made, for {@link writeReport}. */
export type Rendered = {
  readonly picture: RgbImage;
  readonly track: ControlTrack;
  readonly latents: FloatTensor;
  readonly videos: Videos;
  readonly memory: EngineMemory;
  readonly modelKey: string;
  /** How well the model's VAE gives the picture back, where its card asks for that. */
  readonly reconstructionDb: number | undefined;
  readonly seconds: number;
};

/** Writes what explains the run: contact sheet, poses, latents, run.json, timings.json; then clears the work folder. */
export async function writeReport(run: Run, plan: Plan, inputs: Rendered): Promise<RunResult> {
  const { store } = run;
  const { picture, track, latents, videos } = inputs;
  const outputs: Record<string, string> = {
    video: plan.video,
    ...(videos.comparison && { comparison: videos.comparison }),
    ...(videos.poseVideo && { poseVideo: videos.poseVideo }),
    contactSheet: store.result('contact-sheet.png'),
    run: store.result('run.json'),
    timings: store.result('timings.json'),
    latents: store.result('latents.safetensors'),
  };
  await run.stage('report', 'writing the report', async () => {
    await requireUnchanged(plan.movement.path, track.contentHash);
    for (const { path, contentHash } of track.pictures.values()) await requireUnchanged(path, contentHash);
    const rows = [
      { label: 'driving', images: videos.samples.map(({ driving }) => driving).filter((image) => image !== undefined) },
      { label: 'pose', images: videos.samples.map(({ pose }) => pose) },
      { label: 'result', images: videos.samples.map(({ result }) => result) },
    ].filter(({ images }) => images.length > 0);
    const captions = videos.samples.map(({ frame }) => String(frame));
    await writeAtomic(store.result('contact-sheet.png'), await contactSheet({ reference: picture, rows, captions }));
    if (track.driving) {
      outputs.pose = store.result('pose.json');
      await writePoseJson(outputs.pose, track.driving);
    }
    await writeTensors(store.result('latents.safetensors'), { latents });
    await writeAtomic(store.result('run.json'), await runRecord(plan, inputs, outputs));
  });
  await writeAtomic(store.result('timings.json'), timingRecord(run, plan, inputs));
  await store.finish(plan.options.keepIntermediate);
  return { runDir: store.dir, outputs, frames: videos.frames, seconds: inputs.seconds };
}

/** A clip that was replaced or written to while it was read: its poses and its frames do not belong together. */
async function requireUnchanged(path: string, contentHash: string | undefined): Promise<void> {
  if (contentHash === undefined || (await hashFile(path)) === contentHash) return;
  throw new PantomimeError({
    code: 'input.changed',
    kind: 'input',
    what: 'this file was changed while it was being worked on',
    where: path,
    hint: 'the same command again, once the file stays as it is',
  });
}

/** Everything needed to do the run again, and to know what it was made from. */
async function runRecord(plan: Plan, inputs: Rendered, outputs: Readonly<Record<string, string>>): Promise<string> {
  const { options, movement, model, size, schedule, windows, tools } = plan;
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  const record = {
    version: 1,
    pantomime: version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    options: repeatableOptions(plan),
    repeat: repeatCommand(outputs.run as string),
    inputs: {
      image: { path: options.image, sha256: await hashFile(options.image as string) },
      movement: {
        kind: movement.kind,
        path: movement.path,
        ...(inputs.track.contentHash && { sha256: inputs.track.contentHash }),
      },
    },
    model: { dir: model.dir, overlay: model.overlay, fingerprint: inputs.modelKey, domain: plan.card?.domain },
    loras: await Promise.all(plan.loras.map(async (lora) => ({ ...lora, sha256: await hashFile(lora.file) }))),
    controls: describeControls(plan),
    pictures: [...inputs.track.pictures].map(([name, { path, contentHash }]) => ({ name, path, sha256: contentHash })),
    reconstructionDb: inputs.reconstructionDb,
    poseBackend: plan.poseBackend,
    device: { provider: plan.provider, ...plan.memory },
    fitted: plan.fitted,
    ffmpeg: { version: tools.version, origin: tools.origin },
    size,
    frameRate: movement.frameRate,
    frames: inputs.videos.frames,
    sigmas: [...schedule.sigmas],
    windows: windows.map((window) => window.frames[0]),
    alignment: inputs.track.alignment,
    outputs,
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** Where the time went; the time line itself in one line, for it is long. */
function timingRecord(run: Run, plan: Plan, { seconds, videos, memory }: Rendered): string {
  const timeline = run.timeline.record();
  const figures = {
    ...{ seconds, framesPerSec: videos.frames / seconds, stages: run.timings },
    engine: memory,
    process: { peakRssBytes: process.resourceUsage().maxRSS * 1024 },
    plan: plan.cost,
    engineUse: engineUse(timeline.engine),
  };
  return `${JSON.stringify(figures, null, 2).slice(0, -2)},\n  "timeline": ${JSON.stringify(timeline)}\n}\n`;
}
