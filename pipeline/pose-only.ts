import { join } from 'node:path';
import { locateFfmpeg } from '../stages/ffmpeg/locate.js';
import { writePoseJson } from '../stages/pose/pose-json.js';
import { checkOutput } from './check-output.js';
import { findDrivingPoses, openDetector } from './driving-poses.js';
import type { RunContext, RunResult } from './events.js';
import { hashFile } from './hashes.js';
import { lazily } from './lazily.js';
import { openMovement } from './movement.js';
import type { AnimateOptions } from './options/schema.js';
import { outputPaths } from './output-paths.js';
import { ffmpegNotes } from './plan.js';
import { choosePoseBackend } from './pose-backend.js';
import { startRun } from './run.js';
import { openRunStore } from './run-store.js';
import { writePoseVideo } from './videos.js';

/** Stops after the poses: writes `pose.json`, which `animate --pose` takes, and `pose.mp4`, which shows them on the clip. */
export async function extractPoses(options: AnimateOptions, context: RunContext = {}): Promise<RunResult> {
  const begun = performance.now();
  const tools = await locateFfmpeg({ ffmpeg: options.ffmpeg ?? undefined, signal: context.signal });
  const movement = await openMovement(options, tools, context.signal);
  if (movement.kind !== 'video') throw new RangeError('poses are found in a driving video');
  await choosePoseBackend(options, context.signal); // what is missing is said before work begins
  const { runDir } = outputPaths(options, movement.path);
  await checkOutput(runDir, join(runDir, 'pose.json'), options);
  await using store = await openRunStore(runDir);
  const run = startRun(store, context, options);
  context.onEvent?.({ type: 'run.start', command: 'pose', runDir });
  for (const note of ffmpegNotes(tools)) run.note(note);

  await using detector = lazily(() => openDetector(options, run.signal));
  const driving = await findDrivingPoses(
    run,
    movement,
    await hashFile(movement.path, run.signal),
    options,
    tools,
    detector.get,
  );
  const poseVideo = run.store.result('pose.mp4');
  const count = driving.frames.length;
  await writePoseVideo(run, { movement, tools, options }, { driving }, { file: poseVideo, first: 1, count });
  const pose = run.store.result('pose.json');
  await writePoseJson(pose, driving);
  await run.store.finish(options.keepIntermediate);
  const seconds = (performance.now() - begun) / 1000;
  const outputs = { pose, poseVideo };
  const result = { runDir, outputs, frames: driving.frames.length, seconds };
  context.onEvent?.({ type: 'run.done', ...result });
  return result;
}
