import type { Checkpoint, StoredDType } from '#dist/models/checkpoint/checkpoint.js';
import { readTensor } from '#dist/models/checkpoint/read-tensor.js';
import { openSafetensors } from '#dist/models/checkpoint/safetensors.js';
import { type SafetensorsEntry, writeSafetensors } from '#dist/models/checkpoint/write-safetensors.js';
import { floatToHalf, halfToFloat } from '#dist/models/half.js';
import { sizeOf } from '#dist/models/tensor.js';
import { someFloats } from './tensors.js';

/** How a file names its layers. `kohya-mid`: LoCon convolutions with a middle. `processor`: projections of attention only. */
export type LoraLayout = 'kohya' | 'kohya-mid' | 'peft' | 'peft-unet' | 'diffusers' | 'processor';

export type RandomLora = {
  readonly layout: LoraLayout;
  readonly rank: number;
  readonly seed: number;
  /** Left out: no alpha in the file. */
  readonly alpha?: number;
  readonly dtype?: 'float32' | 'float16';
  /** Which of the UNet's layers; all when left out. */
  readonly only?: (weight: string) => boolean;
};

/** What a LoRA adds to each weight at scale 1, in float64. */
export type Deltas = ReadonlyMap<string, Float64Array>;

/** Layers that a LoRA may change: weights of linear layers and convolutions. */
export function layerShapes({ tensors }: Checkpoint): [weight: string, shape: readonly number[]][] {
  return [...tensors].flatMap(([name, { shape }]) =>
    name.endsWith('.weight') && shape.length > 1 ? [[name, shape]] : [],
  );
}

/** Writes a random LoRA for `unet`; returns the algebra: what each weight changes by. */
export async function writeRandomLora(path: string, unet: Checkpoint, options: RandomLora): Promise<Deltas> {
  const { layout, rank, seed, alpha, dtype = 'float32', only = () => true } = options;
  const entries: SafetensorsEntry[] = [];
  const deltas = new Map<string, Float64Array>();
  let next = seed;
  /** Adds a tensor of random values; gives them as the file holds them. */
  const random = (name: string, shape: readonly number[], reach: number): Float32Array => {
    const values = someFloats(sizeOf(shape), next++).map((value) => value * reach);
    const halves = Uint16Array.from(values, floatToHalf);
    entries.push({ name, dtype, shape, data: dtype === 'float16' ? halves : values });
    return dtype === 'float16' ? Float32Array.from(halves, halfToFloat) : values;
  };
  for (const [weight, shape] of layerShapes(unet)) {
    const name = namer(layout, weight.slice(0, -'.weight'.length));
    if (!name || !only(weight)) continue;
    const [outputs = 0, inputs = 0, ...kernel] = shape;
    const ones = kernel.map(() => 1);
    const taps = sizeOf(kernel);
    const hasMid = layout === 'kohya-mid' && taps > 1;
    // As large as the weights themselves, whatever the rank.
    const reach = Math.sqrt(3 / (inputs * taps)) / Math.sqrt(rank);
    const up = random(name('up'), [outputs, rank, ...ones], 1);
    const mid = hasMid && random(name('mid'), [rank, rank, ...kernel], 1 / Math.sqrt(rank));
    const down = random(name('down'), [rank, inputs, ...(hasMid ? ones : kernel)], reach);
    if (alpha !== undefined)
      entries.push({ name: name('alpha'), dtype: 'float32', shape: [], data: Float32Array.of(alpha) });
    const delta = new Float64Array(sizeOf(shape));
    const scale = alpha === undefined ? 1 : alpha / rank;
    for (let o = 0; o < outputs; o++)
      for (let p = 0; p < rank; p++)
        for (let i = 0; i < inputs; i++)
          for (let k = 0; k < taps; k++) {
            const at = (o * inputs + i) * taps + k;
            const rest = mid
              ? Array.from({ length: rank }, (_, q) => mid[(p * rank + q) * taps + k]! * down[q * inputs + i]!).reduce(
                  (a, b) => a + b,
                )
              : down[(p * inputs + i) * taps + k]!;
            delta[at] = delta[at]! + scale * up[o * rank + p]! * rest;
          }
    deltas.set(weight, delta);
  }
  await writeSafetensors(path, entries);
  return deltas;
}

type Part = 'down' | 'up' | 'mid' | 'alpha';

/** Names of a layer's parts; undefined where a layout cannot name the layer. */
function namer(layout: LoraLayout, layer: string): ((part: Part) => string) | undefined {
  const named = (prefix: string, parts: Record<'down' | 'up', string>) => (part: Part) =>
    part === 'alpha' ? `${prefix}.alpha` : `${prefix}${parts[part as 'up']}.weight`;
  switch (layout) {
    case 'kohya':
    case 'kohya-mid': {
      const prefix = `lora_unet_${layer.replaceAll('.', '_')}`;
      return (part) => (part === 'alpha' ? `${prefix}.alpha` : `${prefix}.lora_${part}.weight`);
    }
    case 'peft':
      return named(layer, { down: '.lora_A', up: '.lora_B' });
    case 'peft-unet':
      return named(`unet.${layer}`, { down: '.lora_A', up: '.lora_B' });
    case 'diffusers':
      return named(`unet.${layer}`, { down: '.lora.down', up: '.lora.up' });
    case 'processor': {
      const [, attention, projection] = /^(.*\.attn\d)\.(to_[qkv]|to_out)(?:\.0)?$/.exec(layer) ?? [];
      if (!attention) return undefined;
      return named(`unet.${attention}.processor.${projection}_lora`, { down: '.down', up: '.up' });
    }
  }
}

/** Writes `unet` with changes merged into its weights in float64, as an ordinary float32 checkpoint. */
export async function writeMerged(
  path: string,
  unet: Checkpoint,
  changes: readonly (readonly [deltas: Deltas, scale: number])[],
): Promise<Checkpoint> {
  const entries = [...unet.tensors].map(async ([name, location]): Promise<SafetensorsEntry> => {
    const { data } = await readTensor(location);
    const own = changes.flatMap(([deltas, scale]) => {
      const delta = deltas.get(name);
      return delta ? [{ delta, scale }] : [];
    });
    const merged = data.map((value, i) => own.reduce((sum, { delta, scale }) => sum + scale * delta[i]!, value));
    return { name, dtype: 'float32' satisfies StoredDType, shape: location.shape, data: merged };
  });
  await writeSafetensors(path, await Promise.all(entries));
  return openSafetensors(path);
}
