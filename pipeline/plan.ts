import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type ModelFolder, openModelFolder } from '../models/checkpoint/model-folder.js';
import { PantomimeError } from '../models/errors.js';
import type { Residency } from '../models/onnx/built-graph.js';
import type { Precision } from '../models/onnx/graph.js';
import type { Provider } from '../models/runtime/engine.js';
import { checkProvider, missingCudaLibraries } from '../models/runtime/providers.js';
import { scheduleRange } from '../models/schedule/config.js';
import { guidedSteps } from '../models/schedule/guidance.js';
import { makeSchedule, type Schedule } from '../models/schedule/sigmas.js';
import { parseUNetConfig } from '../models/svd/unet-config.js';
import { parseVaeConfig } from '../models/svd/vae-config.js';
import { type ContextWindow, contextWindows } from '../stages/denoise/windows.js';
import { type FfmpegTools, locateFfmpeg } from '../stages/ffmpeg/locate.js';
import { readPictureInfo } from '../stages/reference/picture-info.js';
import { checkDisk, checkOutput } from './check-output.js';
import { featuresAreGiven } from './control-features.js';
import { type PlannedPictures, planPictures } from './control-pictures.js';
import { describeControls, type PlannedControl, planControls } from './controls.js';
import { devicesOf } from './devices.js';
import { modelDirOf, requireEmbedded } from './embedded-model.js';
import type { RunContext } from './events.js';
import { guidanceOf } from './guidance.js';
import { type PlannedLora, withLoras } from './loras.js';
import { type MemoryBudget, memoryBudget } from './memory-budget.js';
import type { MemoryChoice } from './memory-choice.js';
import { type MemoryPlan, planMemory } from './memory-plan.js';
import { type ModelCard, readModelCard } from './model-card.js';
import { type Movement, openMovement } from './movement.js';
import { parseControl, poseName } from './options/control-value.js';
import type { AnimateOptions } from './options/schema.js';
import { outputPaths } from './output-paths.js';
import { type PlanCost, planCost } from './plan-cost.js';
import { graphMaker } from './plan-graphs.js';
import { choosePoseBackend, type PoseBackend } from './pose-backend.js';
import { choosePrecision } from './precision.js';
import { formatBytes } from './progress/report-text.js';
import { unfinishedRun } from './run-store.js';
import { chooseSize, type Size } from './size.js';

/** Everything decided before any work: what is animated, at which size, in which windows, at what cost. */
export type Plan = {
  /** With windows and decoding as they fit into the memory. */
  readonly options: AnimateOptions;
  /** What was asked for where that is something else. */
  readonly fitted: Readonly<Partial<FittedOptions>>;
  readonly runDir: string;
  /** Where the result goes: in the run folder, or the file named by `-o`. */
  readonly video: string;
  readonly tools: FfmpegTools;
  readonly movement: Movement;
  readonly poseBackend: PoseBackend;
  readonly model: ModelFolder;
  /** What the model says of itself, where it does. */
  readonly card: ModelCard | undefined;
  readonly picture: Size;
  readonly size: Size;
  /** Frames sampled together, the reference picture's own first. Estimated until the clip is decoded when not `exact`. */
  readonly frames: number;
  readonly exact: boolean;
  readonly schedule: Schedule;
  /** Windows of the first step. */
  readonly windows: readonly ContextWindow[];
  /** Of each step, whether both branches of guidance run. */
  readonly guidedAt: readonly boolean[];
  /** As given, or that of an unfinished run in the same folder, or drawn. */
  readonly seed: number;
  readonly provider: Provider;
  /** Numbers of the devices that take the windows in turns; one on a CPU. */
  readonly devices: readonly number[];
  readonly residency: Residency;
  /** Of all networks but the VAE. */
  readonly precision: Precision;
  /** How weights are held and what is run in parts, so that it fits into the budget. */
  readonly memory: MemoryChoice;
  /** Memory that the engine may use, where it is known. */
  readonly budget: MemoryBudget | undefined;
  /** Added to the UNet's weights; those of scale 0 are left out. */
  readonly loras: readonly PlannedLora[];
  /** Modules that steer the movement; those of scale 0 are left out. */
  readonly controls: readonly PlannedControl[];
  /** What controls that do not see the skeletons look at. */
  readonly pictures: readonly PlannedPictures[];
  readonly cost: PlanCost;
  readonly notes: readonly string[];
};

/** Options of the picture that a plan may decide anew, so that it fits into the memory. */
export type FittedOptions = Pick<AnimateOptions, 'chunk' | 'overlap' | 'decodeChunk' | 'decodeOverlap' | 'decodeTile'>;

/** Opens and checks every input, and decides everything that can be decided from them. Writes nothing. */
export async function makePlan(options: AnimateOptions, context: RunContext = {}): Promise<Plan> {
  const { signal } = context;
  const image = options.image as string;
  const tools = await locateFfmpeg({ ffmpeg: options.ffmpeg ?? undefined, signal });
  const picture = await readPictureInfo(image);
  const movement = await openMovement(options, tools, signal);
  const poseBackend = await choosePoseBackend(options, signal);
  const { model, loras, controls } = await openModel(options);
  const pictures = await planPictures(options, movement, tools, signal);
  const card = await readModelCard(model.dir);
  const unet = parseUNetConfig(model.unet.config);
  const vae = parseVaeConfig(model.vae.config);
  requireSameLatents(unet.outChannels, vae.latentChannels, model.dir);
  const size = chooseSize({
    width: options.width ?? undefined,
    height: options.height ?? undefined,
    picture,
    multiple: vae.pixelsPerLatent * 2 ** (unet.levels.length - 1),
    area: nativeArea(model.unet.config, vae.pixelsPerLatent),
  });

  const driving = drivingFrames(movement);
  const frames = 1 + (driving.count ?? 2 * options.chunk);
  const schedule = makeSchedule(
    options.scheduler,
    options.steps,
    scheduleRange(model.scheduler.config, join(model.dir, 'scheduler', 'scheduler_config.json')),
  );
  const guidedAt = guidedSteps(guidanceOf(options), schedule);
  const guided = guidedAt.includes(true);
  // One graph for steps with and without guidance; a control that is computed in it would be computed for both branches.
  const provider = chooseProvider(options.provider);
  const devices = devicesOf(options, provider);
  const splitIsFree =
    guided && guidedAt.includes(false) && controls.every((control) => featuresAreGiven(control, provider));
  const precision = choosePrecision(options.precision, provider);
  checkQuantize(options, provider, precision);

  // Building the graphs binds every tensor by name and shape, so that a wrong checkpoint is reported now.
  const { runDir, video } = outputPaths(options, movement.path);
  const begun = options.resume ? await unfinishedRun(runDir) : {};
  const budget = await memoryBudget(provider, { ...options, deviceId: devices[0] as number }, signal);
  const windowCount = contextWindows(frames, options).length;
  const memory = planMemory(
    { options, provider, guided, splitIsFree, size, frames, windowCount, begun: begun.memory },
    budget,
    graphMaker({ options, model, size, frames, guidedAt, provider, precision, controls }),
  );
  const fitting = windowsAndDecoding(options, memory.choice);
  const decided = { ...options, ...fitting };
  const windows = contextWindows(frames, decided);
  const cost = planCost({ frames, windows, size, options: decided, schedule, memory, files: 1 + pictures.length });

  await checkOutput(runDir, video, options);
  await checkDisk(runDir, cost.diskBytes);
  const notes = [
    ...ffmpegNotes(tools),
    ...planNotes({ options: decided, frames, card, controls, pictures, schedule, guidedAt }),
    ...memoryNotes(memory),
  ];
  return {
    options: decided,
    fitted: changedOptions(options, fitting),
    runDir,
    video,
    tools,
    movement,
    poseBackend,
    model,
    card,
    picture,
    size,
    frames,
    exact: driving.exact,
    schedule,
    windows,
    guidedAt,
    seed: options.seed ?? begun.seed ?? randomInt(2 ** 32),
    provider,
    devices,
    residency: memory.choice.residency,
    precision,
    memory: memory.choice,
    budget,
    loras,
    controls,
    pictures,
    cost,
    notes,
  };
}

type OpenedModel = Pick<Plan, 'model' | 'loras' | 'controls'>;

/** The model folder with overlay, LoRAs and control modules as the options choose them. */
async function openModel(options: AnimateOptions): Promise<OpenedModel> {
  await requireEmbedded(options.model);
  const folder = await openModelFolder(modelDirOf(options.model), {
    overlay: options.overlay === 'auto' ? undefined : options.overlay === 'none' ? false : options.overlay,
    controlnext: options.controlnext === 'auto' || options.controlnext === 'none' ? undefined : options.controlnext,
    variant: options.variant,
  });
  const controlnext = options.controlnext === 'none' ? undefined : folder.controlnext;
  const { checkpoint, loras } = await withLoras(folder.unet.checkpoint, options.lora);
  const model = { ...folder, controlnext, unet: { ...folder.unet, checkpoint } };
  const controls = await planControls(options, controlnext);
  const posed = options.control.some((value) => parseControl(value)?.name === poseName);
  if (controlnext || posed || options.controlnext === 'none') return { model, loras, controls };
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
function nativeArea(unetConfig: unknown, pixelsPerLatent: number): number {
  const sampleSize = (unetConfig as { sample_size?: unknown }).sample_size;
  return (typeof sampleSize === 'number' && sampleSize > 0 ? Math.min(sampleSize, 512) * pixelsPerLatent : 768) ** 2;
}

function requireSameLatents(unet: number, vae: number, dir: string): void {
  if (unet === vae) return;
  throw new PantomimeError({
    code: 'model.latents',
    kind: 'model',
    what: 'the UNet and the VAE of this model do not belong together',
    where: dir,
    got: `${unet} latent channels in the UNet, ${vae} in the VAE`,
    expected: 'the same number',
  });
}

function drivingFrames(movement: Movement): { readonly count: number | undefined; readonly exact: boolean } {
  if (movement.kind === 'pose') return { count: movement.poses.frames.length, exact: true };
  if (movement.kind === 'control-folder') return { count: movement.frameCount, exact: true };
  return { count: movement.decode.frameCount, exact: false };
}

/** `auto` takes CUDA where its libraries are installed, else the CPU; a named provider is never replaced. */
export function chooseProvider(provider: AnimateOptions['provider']): Provider {
  if (provider !== 'auto') {
    checkProvider(provider);
    return provider;
  }
  const cuda = process.platform === 'linux' && process.arch === 'x64' && missingCudaLibraries().length === 0;
  return cuda ? 'cuda' : 'cpu';
}

function windowsAndDecoding({ decodeOverlap }: AnimateOptions, choice: MemoryChoice): FittedOptions {
  const { chunk, overlap, decodeChunk, decodeTile } = choice;
  const decoding = { decodeChunk, decodeOverlap: Math.min(decodeOverlap, decodeChunk - 1) };
  return { chunk, overlap, ...decoding, decodeTile: decodeTile ?? 'off' };
}

/** Of the options that a plan may decide anew: what was asked for where another thing was decided. */
function changedOptions(asked: AnimateOptions, decided: FittedOptions): Partial<FittedOptions> {
  const names = Object.keys(decided) as (keyof FittedOptions)[];
  return Object.fromEntries(names.filter((name) => asked[name] !== decided[name]).map((name) => [name, asked[name]]));
}

function checkQuantize({ quantize }: AnimateOptions, provider: Provider, precision: Precision): void {
  if (quantize === 'off' || (provider === 'cpu' && precision === 'float32')) return;
  throw new PantomimeError({
    code: 'options.quantize',
    kind: 'usage',
    what: 'linear layers can be quantized on a CPU and in fp32 only',
    got: `${provider}, ${precision}`,
    hint: '--quantize off',
  });
}

/** Which ffmpeg is used, and what is to be said of it. */
export function ffmpegNotes({ ffmpeg, version, origin, warnings }: FfmpegTools): readonly string[] {
  return origin === 'carried' ? warnings : [`using ffmpeg ${version} (${ffmpeg})`, ...warnings];
}

function memoryNotes({ budget, savings }: MemoryPlan): string[] {
  if (!budget || savings.length === 0) return [];
  return [`to fit into ${formatBytes(budget.bytes)} of memory: ${savings.join('; ')}`];
}

function planNotes({
  options,
  frames,
  card,
  guidedAt,
  ...rest
}: Pick<Plan, 'options' | 'frames' | 'card' | 'controls' | 'pictures' | 'schedule' | 'guidedAt'>): string[] {
  const notes: string[] = card ? [card.domain] : [];
  if (options.chunk > frames) notes.push(`the clip is shorter than a window: one window of ${frames} frames`);
  const controls = describeControls(rest);
  if (controls.length === 0) notes.push('no pose control: the movement comes from the model alone');
  for (const { name, steps } of controls)
    if (steps.count === 0) notes.push(`the control ${name} works in no step: its part of them is shorter than one`);
  if (options.guidanceScale < 1) notes.push('guidance is off below 1, as in the published pipeline');
  else if (options.guidanceInterval !== null && options.guidanceScale !== 1 && !guidedAt.includes(true))
    notes.push(`guidance is off: no noise level of this schedule lies in ${options.guidanceInterval}`);
  return notes;
}
