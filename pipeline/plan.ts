import { randomInt } from 'node:crypto';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ModelFolder, openModelFolder } from '../models/checkpoint/model-folder.js';
import { PantomimeError } from '../models/errors.js';
import { buildUnetStep } from '../models/graphs/unet-step.js';
import type { Residency } from '../models/onnx/built-graph.js';
import type { Provider } from '../models/runtime/engine.js';
import { chooseResidency, freeMemory } from '../models/runtime/memory.js';
import { checkProvider, missingCudaLibraries } from '../models/runtime/providers.js';
import { scheduleRange } from '../models/schedule/config.js';
import { needsGuidance } from '../models/schedule/guidance.js';
import { makeSchedule, type Schedule } from '../models/schedule/sigmas.js';
import { parseUNetConfig } from '../models/svd/unet-config.js';
import { type ContextWindow, contextWindows } from '../stages/denoise/windows.js';
import { type FfmpegTools, locateFfmpeg } from '../stages/ffmpeg/locate.js';
import { readPictureInfo } from '../stages/reference/picture-info.js';
import type { RunContext } from './events.js';
import { type Movement, openMovement } from './movement.js';
import type { AnimateOptions } from './options/schema.js';
import { outputPaths } from './output-paths.js';
import { unfinishedSeed } from './run-store.js';
import { chooseSize, type Size } from './size.js';

/** Everything decided before any work: what is animated, at which size, in which windows, at what cost. */
export type Plan = {
  readonly options: AnimateOptions;
  readonly runDir: string;
  /** Where the result goes: in the run folder, or the file named by `-o`. */
  readonly video: string;
  readonly tools: FfmpegTools;
  readonly movement: Movement;
  readonly model: ModelFolder;
  readonly picture: Size;
  readonly size: Size;
  /** Frames sampled together, the reference picture's own first. Estimated until the clip is decoded when not `exact`. */
  readonly frames: number;
  readonly exact: boolean;
  readonly schedule: Schedule;
  /** Windows of the first step. */
  readonly windows: readonly ContextWindow[];
  readonly guided: boolean;
  /** As given, or that of an unfinished run in the same folder, or drawn. */
  readonly seed: number;
  readonly provider: Provider;
  readonly residency: Residency;
  readonly cost: PlanCost;
  readonly notes: readonly string[];
};

export type PlanCost = {
  /** Runs of the denoiser: windows x steps. */
  readonly forwards: number;
  /** Frames run through the denoiser for each frame sampled; 1 is the least. */
  readonly factor: number;
  readonly weightBytes: number;
  /** Rough peak of the engine's memory: weights as they are held, and activations. */
  readonly memoryBytes: number;
  /** Rough need of disk space during the run. */
  readonly diskBytes: number;
};

/** Opens and checks every input, and decides everything that can be decided from them. Writes nothing. */
export async function makePlan(options: AnimateOptions, context: RunContext = {}): Promise<Plan> {
  const { signal } = context;
  const image = options.image as string;
  const tools = await locateFfmpeg({ ffmpeg: options.ffmpeg ?? undefined, signal });
  const picture = await readPictureInfo(image);
  const movement = await openMovement(options, tools, signal);
  const model = await openModel(options);
  const unet = parseUNetConfig(model.unet.config);
  const vaeFactor = 8;
  const size = chooseSize({
    width: options.width ?? undefined,
    height: options.height ?? undefined,
    picture,
    multiple: vaeFactor * 2 ** (unet.levels.length - 1),
    area: nativeArea(model.unet.config, vaeFactor),
  });

  const driving = drivingFrames(movement);
  const frames = 1 + (driving.count ?? 2 * options.chunk);
  const schedule = makeSchedule(
    options.scheduler,
    options.steps,
    scheduleRange(model.scheduler.config, join(model.dir, 'scheduler', 'scheduler_config.json')),
  );
  const windows = contextWindows(frames, options);
  const guided = needsGuidance(options.guidanceScaleMin, options.guidanceScale);
  const provider = chooseProvider(options.provider);

  // Building the graph binds every tensor by name and shape, so that a wrong checkpoint is reported now.
  const graph = buildUnetStep({
    unet: model.unet.checkpoint,
    unetConfig: model.unet.config,
    controlnext: model.controlnext,
    frames: Math.min(options.chunk, frames),
    ...size,
    guidance: guided,
    residency: 'low-memory',
    target: provider,
  });
  const residency = provider === 'cpu' ? chooseResidency(options.residency, graph.weightBytes, freeMemory()) : 'fast';
  const cost = planCost({
    frames,
    size,
    windows,
    schedule,
    guided,
    residency,
    weightBytes: graph.weightBytes,
    options,
  });

  const { runDir, video } = outputPaths(options, movement.path);
  await checkDisk(runDir, cost.diskBytes);
  const notes = [...tools.warnings, ...planNotes(options, frames, model)];
  return {
    options,
    runDir,
    video,
    tools,
    movement,
    model,
    picture,
    size,
    frames,
    exact: driving.exact,
    schedule,
    windows,
    guided,
    seed: options.seed ?? (options.resume ? await unfinishedSeed(runDir) : undefined) ?? randomInt(2 ** 32),
    provider,
    residency,
    cost,
    notes,
  };
}

/** The model folder with overlay and control network as the options choose them. */
export async function openModel(options: AnimateOptions): Promise<ModelFolder> {
  const model = await openModelFolder(options.model as string, {
    overlay: options.overlay === 'auto' ? undefined : options.overlay === 'none' ? false : options.overlay,
    controlnext: options.controlnext === 'auto' || options.controlnext === 'none' ? undefined : options.controlnext,
  });
  if (options.controlnext === 'none') return { ...model, controlnext: undefined };
  if (model.controlnext) return model;
  throw new PantomimeError({
    code: 'model.no-control',
    kind: 'model',
    what: 'the model folder has no pose control network',
    where: model.dir,
    expected: 'controlnext.safetensors in it, or one named by --controlnext',
    hint: '--controlnext FILE, or --controlnext none to run without pose control',
  });
}

/** SVD's `sample_size` counts latents of a square: 96 stands for 768 x 768, the area of 576 x 1024. */
function nativeArea(unetConfig: unknown, vaeFactor: number): number {
  const sampleSize = (unetConfig as { sample_size?: unknown }).sample_size;
  return (typeof sampleSize === 'number' && sampleSize > 0 ? Math.min(sampleSize, 512) * vaeFactor : 768) ** 2;
}

function drivingFrames(movement: Movement): { readonly count: number | undefined; readonly exact: boolean } {
  if (movement.kind === 'pose') return { count: movement.poses.frames.length, exact: true };
  if (movement.kind === 'control-folder') return { count: movement.frameCount, exact: true };
  return { count: movement.decode.frameCount, exact: false };
}

/** `auto` takes CUDA where its libraries are installed, else the CPU; a named provider is never replaced. */
function chooseProvider(provider: AnimateOptions['provider']): Provider {
  if (provider !== 'auto') {
    checkProvider(provider);
    return provider;
  }
  const cuda = process.platform === 'linux' && process.arch === 'x64' && missingCudaLibraries().length === 0;
  return cuda ? 'cuda' : 'cpu';
}

type CostInputs = Pick<Plan, 'frames' | 'size' | 'windows' | 'schedule' | 'guided' | 'residency' | 'options'> & {
  readonly weightBytes: number;
};

function planCost({ frames, size, windows, schedule, guided, residency, weightBytes, options }: CostInputs): PlanCost {
  const perStep = windows.reduce((sum, window) => sum + window.frames.length, 0);
  const pixels = size.width * size.height;
  const branches = guided ? 2 : 1;
  // The widest activations are those of the feed-forward at latent resolution: about 10 x 320 floats a latent pixel, a
  // few tensors of that size alive at once; the control network's first layer has 64 channels at a quarter of the pixels.
  const slots = Math.min(options.chunk, frames);
  const activations = slots * (branches * (pixels / 64) * 320 * 10 * 4 + (pixels / 4) * 64 * 4 * 2);
  const held = residency === 'fast' ? weightBytes * 3 : weightBytes;
  const drawn = frames * pixels * 3;
  return {
    forwards: windows.length * schedule.timesteps.length,
    factor: perStep / frames,
    weightBytes,
    memoryBytes: held + activations,
    diskBytes: drawn * 1.3 + 64 * 2 ** 20,
  };
}

/** The nearest folder that exists must be writable and have room. */
async function checkDisk(runDir: string, needed: number): Promise<void> {
  let folder = runDir;
  while (!(await isThere(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  if (!(await stat(folder)).isDirectory()) {
    throw new PantomimeError({
      code: 'output.not-a-folder',
      kind: 'input',
      what: 'the output would lie inside a file',
      where: folder,
      hint: 'choose another place with -o FOLDER',
    });
  }
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new PantomimeError({
      code: 'output.not-writable',
      kind: 'input',
      what: 'the output folder cannot be written',
      where: folder,
      hint: 'choose another place with -o FOLDER',
      cause,
    });
  });
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;
  throw new PantomimeError({
    code: 'output.no-space',
    kind: 'input',
    what: 'there is not enough free disk space for this run',
    where: folder,
    got: `${megabytes(bavail * bsize)} free`,
    expected: `about ${megabytes(needed)}`,
    hint: 'free some space, choose another disk with -o FOLDER, or use --max-frames',
  });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function planNotes(options: AnimateOptions, frames: number, model: ModelFolder): string[] {
  const notes: string[] = [];
  if (options.chunk > frames) notes.push(`the clip is shorter than a window: one window of ${frames} frames`);
  if (!model.controlnext) notes.push('no pose control: the movement comes from the model alone');
  if (options.guidanceScale < 1) notes.push('guidance is off below 1, as in the published pipeline');
  return notes;
}
