import { join } from 'node:path';
import type { Checkpoint } from '../../models/checkpoint/checkpoint.js';
import { overlayCheckpoint } from '../../models/checkpoint/checkpoint.js';
import { readJsonFile } from '../../models/checkpoint/json-file.js';
import { type ModelFolder, openModelFolder } from '../../models/checkpoint/model-folder.js';
import { readStoredTensor } from '../../models/checkpoint/read-tensor.js';
import { openSafetensors } from '../../models/checkpoint/safetensors.js';
import { PantomimeError } from '../../models/errors.js';
import type { Residency } from '../../models/onnx/built-graph.js';
import type { Engine } from '../../models/runtime/engine.js';
import type { FloatTensor, Tensor } from '../../models/tensor.js';
import { exists } from '../files.js';

/** A folder of recorded cases, and what is needed to run them. */
export type ParityContext = {
  readonly dir: string;
  readonly engine: Engine;
  readonly residency: Residency;
  /** Base UNet, without the overlay. */
  readonly model: ModelFolder;
  /** The UNet with the overlay's tensors. */
  readonly overlaid: Checkpoint;
  /** Folder for intermediate files. */
  readonly scratch: string;
  /** Where driving clips lie. */
  readonly samples: string;
  readonly signal: AbortSignal | undefined;
};

/** The model of a recording, plain and overlaid. */
export async function openRecordedModel(folder: string): Promise<Pick<ParityContext, 'model' | 'overlaid'>> {
  const model = await openModelFolder(folder, { overlay: false });
  const names = ['unet_overlay.safetensors', 'unet_overlay.fp16.safetensors'].map((name) => join(folder, name));
  const found = await Promise.all(names.map(exists));
  const overlay = names[found.indexOf(true)];
  const overlaid = overlay
    ? overlayCheckpoint(model.unet.checkpoint, await openSafetensors(overlay))
    : model.unet.checkpoint;
  return { model, overlaid };
}

/** The tensors of a recorded file. */
export type Recording = {
  readonly names: readonly string[];
  readonly has: (name: string) => boolean;
  readonly floats: (name: string) => Promise<FloatTensor>;
  readonly bytes: (name: string) => Promise<Tensor<Uint8Array>>;
};

export async function openRecording(path: string): Promise<Recording> {
  const { tensors } = await openSafetensors(path);
  const read = (name: string): Promise<Tensor> => {
    const location = tensors.get(name);
    if (location) return readStoredTensor(location);
    throw new PantomimeError({
      code: 'parity.recording',
      kind: 'input',
      what: `there is no tensor ${name}`,
      where: path,
    });
  };
  return {
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    floats: async (name) => (await read(name)) as FloatTensor,
    bytes: async (name) => (await read(name)) as Tensor<Uint8Array>,
  };
}

export type RecordIndex = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** `index.json` of a folder of recordings; undefined when there is none. */
export async function readIndex(folder: string): Promise<RecordIndex | undefined> {
  const path = join(folder, 'index.json');
  return (await exists(path)) ? ((await readJsonFile(path)) as RecordIndex) : undefined;
}

/** A whole number of an index entry, checked. */
export function numberOf(entry: Readonly<Record<string, unknown>>, key: string, where: string): number {
  const value = entry[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new PantomimeError({
    code: 'parity.index',
    kind: 'input',
    what: `${key} is missing or not a number`,
    where,
    got: JSON.stringify(value),
  });
}
