import {
  abbreviate,
  type Checkpoint,
  isWeight,
  type LowRankChange,
  type TensorLocation,
  type WeightLocation,
} from '../checkpoint/checkpoint.js';
import { readStoredTensor, readTensor } from '../checkpoint/read-tensor.js';
import { openSafetensors } from '../checkpoint/safetensors.js';
import { PantomimeError } from '../errors.js';
import { sizeOf } from '../tensor.js';
import { adapterSettings } from './adapter-settings.js';
import { isTextEncoderKey, type LoraPart, parseLayerKey } from './layer-key.js';
import { type Layer, type Layers, layersOf } from './layers.js';

/** A LoRA file whose every tensor has found its layer; scales of the changes are alpha / rank. */
export type Lora = {
  /** Real path. */
  readonly file: string;
  /** By the name of the weight that is changed. */
  readonly changes: ReadonlyMap<string, LowRankChange>;
  /** Smallest and largest rank. */
  readonly ranks: readonly [number, number];
};

/**
 * Opens a LoRA for a UNet: kohya's names (`lora_unet_..._to_q.lora_down.weight`, LoCon convolutions with or without `lora_mid`),
 * those of diffusers and PEFT (`unet.` or not; `lora_A`, `.lora.down`, `.processor.to_q_lora.down`), each with an optional `alpha`.
 * All values are read once, to find those that are no numbers.
 *
 * Throws PantomimeError of kind `model`: `lora.text-encoder`, `lora.unknown` (which lists the names), `lora.ambiguous`,
 * `lora.repeated`, `lora.incomplete`, `lora.shape`, `lora.alpha`, `lora.settings`, `lora.values`, `lora.empty`; and those of `openSafetensors`.
 */
export async function openLora(path: string, unet: Checkpoint): Promise<Lora> {
  const { tensors, sources, metadata } = await openSafetensors(path);
  const settings = adapterSettings(metadata);
  if (settings.unsupported.length > 0)
    throw wrong(path, 'lora.settings', 'was trained in a way that is not supported', {
      got: settings.unsupported.join(', '),
    });
  const changes = new Map<string, LowRankChange>();
  for (const [weight, { layer, parts }] of sortByLayer(path, tensors, layersOf(unet))) {
    changes.set(weight, await changeOf(path, layer, parts, settings.alpha));
  }
  if (changes.size === 0) throw wrong(path, 'lora.empty', 'holds no layer of a LoRA', { expected: usualNames });
  const ranks = [...changes.values()].map(({ rank }) => rank);
  return { file: sources[0] as string, changes, ranks: [Math.min(...ranks), Math.max(...ranks)] };
}

const usualNames =
  'lora_unet_LAYER or LAYER as diffusers names it, with .lora_down/.lora_up, .lora_A/.lora_B or .lora.down/.lora.up ' +
  '(.weight), and .alpha';

type Parts = Partial<Record<LoraPart, TensorLocation>>;

/** Finds the layer of every tensor. */
function sortByLayer(
  path: string,
  tensors: Checkpoint['tensors'],
  layers: Layers,
): Map<string, { readonly layer: Layer; readonly parts: Parts }> {
  const sorted = new Map<string, { layer: Layer; parts: Parts }>();
  const unknown: string[] = [];
  const ambiguous: string[] = [];
  const text: string[] = [];
  for (const [name, location] of tensors) {
    const key = parseLayerKey(name);
    const layer = key && layers.find(key);
    if (isTextEncoderKey(name)) text.push(name);
    else if (!key || !layer) unknown.push(name);
    else if (!('weight' in layer)) ambiguous.push(`${name} (${layer.map(({ weight }) => weight).join(' or ')})`);
    else {
      const parts: Parts = sorted.get(layer.weight)?.parts ?? {};
      if (parts[key.part]) throw wrong(path, 'lora.repeated', `changes ${layer.weight} twice`, { got: name });
      sorted.set(layer.weight, { layer, parts: { ...parts, [key.part]: location } });
    }
  }
  if (text.length > 0) {
    throw wrong(path, 'lora.text-encoder', 'changes a text encoder, and Stable Video Diffusion has none', {
      got: `${text.length} of ${tensors.size} tensors: ${abbreviate(text)}`,
      hint: 'This LoRA was made for a text-to-image model; use one made for the UNet of Stable Video Diffusion.',
    });
  }
  if (unknown.length > 0) {
    throw wrong(path, 'lora.unknown', `${unknown.length} of ${tensors.size} tensors belong to no layer of the UNet`, {
      got: abbreviate(unknown, 20),
      expected: `${usualNames}; LAYER being one of the UNet's`,
      hint: 'Use a LoRA made for the UNet of Stable Video Diffusion, of the kinds LoRA and LoCon.',
    });
  }
  if (ambiguous.length > 0)
    throw wrong(path, 'lora.ambiguous', 'some names fit several layers', { got: abbreviate(ambiguous) });
  return sorted;
}

async function changeOf(
  path: string,
  { weight, shape }: Layer,
  parts: Parts,
  commonAlpha: number | undefined,
): Promise<LowRankChange> {
  const { down, up, mid, alpha } = parts;
  if (!down || !up) {
    const got = Object.keys(parts).join(' and ');
    throw wrong(path, 'lora.incomplete', `${weight} is not changed completely`, { got, expected: 'down and up' });
  }
  const rank = down.shape[0] ?? 0;
  const expected = expectedShapes(shape, rank, mid !== undefined);
  for (const [part, location] of Object.entries({ down, up, ...(mid && { mid }) })) {
    const wanted = expected[part as keyof typeof expected];
    if (rank > 0 && sameShape(location.shape, wanted) && isWeight(location)) continue;
    throw wrong(path, 'lora.shape', `${part} of ${weight} does not fit`, {
      got: `${location.dtype} [${location.shape.join(', ')}]`,
      expected: `floats [${wanted.map((size) => (size === 0 ? 'rank' : size)).join(', ')}], rank at least 1`,
      hint: 'Use a LoRA made for the UNet of Stable Video Diffusion.',
    });
  }
  for (const location of [down, up, ...(mid ? [mid] : [])]) await requireNumbers(path, weight, location);
  const scale = (alpha ? await readAlpha(path, weight, alpha) : (commonAlpha ?? rank)) / rank;
  return {
    scale,
    rank,
    down: down as WeightLocation,
    up: up as WeightLocation,
    mid: mid as WeightLocation | undefined,
  };
}

/** Shapes of the parts of a change to a weight [O, I, ...kernel]. */
function expectedShapes([outputs = 0, inputs = 0, ...kernel]: readonly number[], rank: number, hasMid: boolean) {
  return {
    down: [rank, inputs, ...(hasMid ? [] : kernel)],
    up: [outputs, rank],
    mid: [rank, rank, ...kernel],
  };
}

/** Ones at the end do not matter: a 1x1 convolution is a linear layer. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 1) === (b[i] ?? 1)).every(Boolean);
}

async function requireNumbers(path: string, weight: string, location: TensorLocation): Promise<void> {
  const { data } = await readTensor(location);
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw wrong(path, 'lora.values', `what changes ${weight} is not all numbers`, {
    got: `${data[at]} at element ${at}`,
    hint: 'The training of this LoRA has failed, or the file is damaged.',
  });
}

async function readAlpha(path: string, weight: string, location: TensorLocation): Promise<number> {
  const read = /^u?int/.test(location.dtype) ? readStoredTensor : readTensor;
  const value = sizeOf(location.shape) === 1 ? Number((await read(location)).data[0]) : undefined;
  if (value !== undefined && Number.isFinite(value)) return value;
  throw wrong(path, 'lora.alpha', `alpha of ${weight} is not one number`, {
    got: value === undefined ? `[${location.shape.join(', ')}]` : String(value),
  });
}

type Facts = { readonly got?: string; readonly expected?: string; readonly hint?: string };

function wrong(where: string, code: string, what: string, facts: Facts): PantomimeError {
  return new PantomimeError({ code, kind: 'model', what, where, ...facts });
}
