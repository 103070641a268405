/** Public interface of the package: everything the command line can do, as typed functions. */
import { animate as animateResolved } from './animate.js';
import { animateFolder as animateFolderResolved } from './batch/animate-folder.js';
import { type BatchSettingsInput, batchSettings, parseSettings } from './batch/settings.js';
import type { BatchContext, BatchResult } from './batch/types.js';
import type { RunContext, RunResult } from './events.js';
import { type AddedModel, type AddOptions, addModel as addToStore } from './model-store/added-models.js';
import { locate } from './model-store/locate.js';
import { type ModelState, modelStates } from './model-store/model-states.js';
import { type PullContext, pull } from './model-store/pull.js';
import { modelStore, type PullResult, type VerifiedFile } from './model-store/types.js';
import { verifyModel as verifyInStore } from './model-store/verify.js';
import { optionsOfCall } from './options/load.js';
import { sourcesFrom } from './options/resolve.js';
import type { AnimateInput } from './options/schema.js';
import { makePlan, type Plan } from './plan.js';
import { extractPoses as extractResolved } from './pose-only.js';
import { parseTuneSettings, type TuneSettingsInput, tuneSettings } from './tune/settings.js';
import { tune as tuneResolved } from './tune/tune.js';
import type { TuneContext, TuneResult } from './tune/types.js';

export { PantomimeError } from '../models/errors.js';
export type { Keypoint, Person, PoseFrame, PoseSequence, Rational } from '../stages/types.js';
export type { BatchContext, BatchEvent, BatchResult, ClipOutcome, Skipped } from './batch/types.js';
export { type CharacterOptions, drawCharacter } from './character.js';
export type { EventSink, ProgressEvent, RunContext, RunResult, StageName } from './events.js';
export { type InspectOptions, inspectModel, type ModelReport, type NetworkReport } from './inspect-model.js';
export type { AddedModel, AddOptions } from './model-store/added-models.js';
export type { ModelState } from './model-store/model-states.js';
export type { PullContext } from './model-store/pull.js';
export type { LicenceNotice, PullEvent, PullResult, VerifiedFile } from './model-store/types.js';
export type { AnimateInput, AnimateOptions } from './options/schema.js';
export type { Plan } from './plan.js';
export { type CompareOptions, compare } from './tune/compare.js';
export type {
  Cell,
  CellRun,
  MetricInfo,
  MetricName,
  Recommendation,
  TuneContext,
  TuneEvent,
  TuneResult,
} from './tune/types.js';

/**
 * Animates a picture with a movement, from files to files. Options are those of the command line (docs/options.md), in
 * camelCase. Throws PantomimeError: see its `code`, `kind` and `details`.
 */
export async function animate(options: AnimateInput, context: RunContext = {}): Promise<RunResult> {
  return animateResolved(await optionsOfCall(options), context);
}

/** Options of {@link animateFolder}: those of every clip, and what the batch itself is told. */
export type BatchInput = AnimateInput & BatchSettingsInput;

/**
 * Animates every video of a folder (`clips`, or a manifest), into a run folder each in `output`. Clips are independent: one that
 * fails stops no other. The same call goes on with what an interrupted or killed one has left. Throws PantomimeError: of kind
 * `partial` when some clips failed, after all others are done.
 */
export async function animateFolder(input: BatchInput, context: BatchContext = {}): Promise<BatchResult> {
  const { settings, options } = split(input, batchSettings.shape);
  return animateFolderResolved(parseSettings(settings), sourcesFrom(options), context);
}

/** Options of {@link tune}: those of every run, and what the sweep itself is told. */
export type TuneInput = AnimateInput & TuneSettingsInput;

/**
 * Animates an excerpt with every chunk, overlap, fusion and number of steps of a grid, measures the videos, and says which
 * settings to use and why. The same call goes on with what an interrupted or killed one has left. Throws PantomimeError.
 */
export async function tune(input: TuneInput, context: TuneContext = {}): Promise<TuneResult> {
  const { settings, options } = split(input, tuneSettings.shape);
  return tuneResolved(parseTuneSettings(settings), sourcesFrom(options), context);
}

/** What a command itself is told, apart from the options of its runs. */
function split(input: object, own: object): { readonly settings: object; readonly options: AnimateInput } {
  const isSetting = ([name]: [string, unknown]) => Object.hasOwn(own, name);
  const entries = Object.entries(input);
  return {
    settings: Object.fromEntries(entries.filter(isSetting)),
    options: Object.fromEntries(entries.filter((entry) => !isSetting(entry))) as AnimateInput,
  };
}

/** Finds the poses of a driving video and writes pose.json and pose.mp4. */
export async function extractPoses(options: AnimateInput, context: RunContext = {}): Promise<RunResult> {
  return extractResolved(await optionsOfCall(options, 'pose'), context);
}

/** Decides and checks everything about a run without doing it. */
export async function inspect(options: AnimateInput, context: RunContext = {}): Promise<Plan> {
  return makePlan(await optionsOfCall(options), context);
}

/** The models that are known by name, and what is there of each. Asks no network. */
export function listModels(): Promise<readonly ModelState[]> {
  return modelStates(modelStore());
}

/**
 * Downloads what is missing of a model (docs/models.md): a name of the list, or `hf:OWNER/NAME@REVISION`. `accept` is asked about
 * its licences first. Throws PantomimeError.
 */
export function pullModel(name: string, context: PullContext): Promise<PullResult> {
  return pull(name, modelStore(), context);
}

/** Reads every file of a model and compares it with its hash. Throws PantomimeError when the model is not here. */
export function verifyModel(name: string, signal?: AbortSignal): AsyncGenerator<VerifiedFile, void> {
  return verifyInStore(name, modelStore(), signal);
}

/** Gives a file or folder a name that `model`, `controlnext` and `overlay` take. Throws PantomimeError. */
export function addModel(name: string, path: string, options: AddOptions = {}): Promise<AddedModel> {
  return addToStore(name, path, modelStore(), options);
}

/** Where a named model is. Asks no network. Throws PantomimeError when it is not here. */
export function modelPath(name: string): Promise<string> {
  return locate(name, modelStore());
}
