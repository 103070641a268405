/** What a tensor of a LoRA file is to its layer. */
export type LoraPart = 'down' | 'up' | 'mid' | 'alpha';

/** A name of a LoRA file, understood: whose part it is. */
export type LayerKey = {
  readonly part: LoraPart;
  /** The layer's dotted path in the UNet, or with `flat` the same with underscores for dots. */
  readonly layer: string;
  readonly flat: boolean;
};

/** Endings of the layouts, longer ones before those they end in. */
const endings: readonly (readonly [ending: string, part: LoraPart])[] = [
  // kohya
  ['.lora_down.weight', 'down'],
  ['.lora_up.weight', 'up'],
  ['.lora_mid.weight', 'mid'],
  // PEFT, also with the name of its adapter
  ['.lora_A.weight', 'down'],
  ['.lora_B.weight', 'up'],
  ['.lora_A.default.weight', 'down'],
  ['.lora_B.default.weight', 'up'],
  // diffusers: layers, and attention processors (attn1.processor.to_q_lora)
  ['.lora.down.weight', 'down'],
  ['.lora.up.weight', 'up'],
  ['_lora.down.weight', 'down'],
  ['_lora.up.weight', 'up'],
  ['.lora.alpha', 'alpha'],
  ['_lora.alpha', 'alpha'],
  ['.alpha', 'alpha'],
];

const kohyaPrefix = 'lora_unet_';

/** Understands a name of a kohya, diffusers or PEFT file; undefined when it is none. */
export function parseLayerKey(name: string): LayerKey | undefined {
  const found = endings.find(([ending]) => name.endsWith(ending));
  if (!found) return undefined;
  const [ending, part] = found;
  const path = name.slice(0, -ending.length);
  if (path.startsWith(kohyaPrefix)) return { part, layer: path.slice(kohyaPrefix.length), flat: true };
  const layer = path.startsWith('unet.') ? path.slice('unet.'.length) : path;
  return { part, layer: ending.startsWith('_') ? processorLayer(layer) : layer, flat: false };
}

/** attn1.processor.to_out -> attn1.to_out.0: processors of diffusers name the projections of their attention. */
function processorLayer(layer: string): string {
  return layer.replace(/\.processor\.(?=to_\w+$)/, '.').replace(/\.to_out$/, '.to_out.0');
}

/** Whether a name belongs to a text encoder, which Stable Video Diffusion does not have. */
export function isTextEncoderKey(name: string): boolean {
  return /^(lora_te\d?_|te\d?\.|text_encoder|text_model\.|base_model\.model\.text_model\.)/.test(name);
}
