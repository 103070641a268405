import { type Checkpoint, isWeight } from '../models/checkpoint/checkpoint.js';
import { openModelFolder } from '../models/checkpoint/model-folder.js';
import type { Variant } from '../models/checkpoint/weight-files.js';
import { ControlNeXt } from '../models/controlnext/controlnext.js';
import { compareNames, type Mismatch, type Module } from '../models/onnx/module.js';
import { ClipVision } from '../models/svd/clip.js';
import { parseClipVisionConfig } from '../models/svd/clip-config.js';
import { UNet } from '../models/svd/unet.js';
import { parseUNetConfig } from '../models/svd/unet-config.js';
import { Vae } from '../models/svd/vae.js';
import { parseVaeConfig } from '../models/svd/vae-config.js';
import { sizeOf } from '../models/tensor.js';
import { modelDirOf, requireEmbedded } from './embedded-model.js';
import { locateModel } from './model-store/locate.js';

/** One network of a model: what its files hold against what is built from its config. */
export type NetworkReport = Size & {
  readonly network: 'unet' | 'controlnext' | 'vae' | 'image_encoder';
  /** Tensors by the type they are stored in. */
  readonly dtypes: Readonly<Record<string, number>>;
  /** Real paths. */
  readonly files: readonly string[];
  readonly mismatch: Mismatch;
};

export type Size = { readonly parameters: number; readonly tensors: number; readonly bytes: number };

/** A model as its headers tell it; nothing of the weights is read. */
export type ModelReport = {
  readonly dir: string;
  readonly networks: readonly NetworkReport[];
  /** The part of the UNet that a fine-tuned file stands in for. */
  readonly overlay: (Size & { readonly path: string }) | undefined;
  /** As in table 5 of the paper: the UNet alone and with its control module. */
  readonly base: number;
  readonly withControl: number;
  /** The control module, and what was trained of the UNet: an overlay, else the output layers of all attentions as in the paper. */
  readonly learnable: number;
  /** Every network together. */
  readonly total: Size;
  /** Every name and shape is as built, in both directions. */
  readonly fits: boolean;
};

export type InspectOptions = {
  /** As the options of a run: a name, a path, `auto` or `none`. */
  readonly overlay?: string | undefined;
  readonly controlnext?: string | undefined;
  readonly variant?: Variant | undefined;
};

/**
 * Sizes of a model's networks, and whether their tensors are those that are built. Reads configs and headers only. `model`: a
 * name, a path in any layout, or `embedded`. Throws PantomimeError where the model cannot be opened.
 */
export async function inspectModel(model: string, options: InspectOptions = {}): Promise<ModelReport> {
  await requireEmbedded(model);
  const path = modelDirOf(await locateModel(model, '--model'));
  const { overlay = 'auto', controlnext = 'auto', variant } = options;
  const named = async (word: string, use: '--overlay' | '--controlnext') =>
    word === 'auto' || word === 'none' ? undefined : locateModel(word, use);
  const opened = await openModelFolder(path, {
    overlay: overlay === 'none' ? false : await named(overlay, '--overlay'),
    controlnext: await named(controlnext, '--controlnext'),
    variant,
  });
  const control = controlnext === 'none' ? undefined : opened.controlnext;
  const unet = parseUNetConfig(opened.unet.config);
  const networks = [
    report('unet', opened.unet.checkpoint, new UNet(unet)),
    ...(control ? [report('controlnext', control, new ControlNeXt(unet.levels[0]?.channels ?? 0))] : []),
    report('vae', opened.vae.checkpoint, new Vae(parseVaeConfig(opened.vae.config))),
    report(
      'image_encoder',
      opened.imageEncoder.checkpoint,
      new ClipVision(parseClipVisionConfig(opened.imageEncoder.config)),
    ),
  ];
  const base = sizeIn(opened.unet.checkpoint).parameters;
  const controlSize = control ? sizeIn(control).parameters : 0;
  const over = opened.overlay
    ? { path: opened.overlay, ...(await overlaySize(path, variant, opened.unet.checkpoint)) }
    : undefined;
  const trained = over ?? sizeIn(opened.unet.checkpoint, (name) => name.includes('.to_out.'));
  return {
    dir: opened.dir,
    networks,
    overlay: over,
    base,
    withControl: base + controlSize,
    learnable: controlSize + trained.parameters,
    total: networks.reduce(sum, nothing),
    fits: networks.every(({ mismatch }) => Object.values(mismatch).every((names) => names.length === 0)),
  };
}

function report(network: NetworkReport['network'], checkpoint: Checkpoint, module: Module): NetworkReport {
  const dtypes: Record<string, number> = {};
  for (const { dtype } of checkpoint.tensors.values()) dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
  const { missing, unexpected, misshaped } = compareNames(module, checkpoint);
  const mismatch = { missing, unexpected, misshaped };
  return { network, ...sizeIn(checkpoint), dtypes, files: checkpoint.sources, mismatch };
}

const nothing: Size = { parameters: 0, tensors: 0, bytes: 0 };

const sum = (a: Size, b: Size): Size => ({
  parameters: a.parameters + b.parameters,
  tensors: a.tensors + b.tensors,
  bytes: a.bytes + b.bytes,
});

/** Weights of a checkpoint, those whose name is `wanted`; buffers of integers do not count. */
function sizeIn({ tensors }: Checkpoint, wanted: (name: string) => boolean = () => true): Size {
  return [...tensors]
    .filter(([name, location]) => isWeight(location) && wanted(name))
    .map(([, { shape, byteLength }]) => ({ parameters: sizeOf(shape), tensors: 1, bytes: byteLength }))
    .reduce(sum, nothing);
}

/** What of an overlaid UNet is not the model's own. */
async function overlaySize(path: string, variant: Variant | undefined, overlaid: Checkpoint): Promise<Size> {
  const { unet } = await openModelFolder(path, { overlay: false, variant });
  const own = unet.checkpoint.tensors;
  const isOther = (name: string) => {
    const [before, after] = [own.get(name), overlaid.tensors.get(name)];
    return before?.file !== after?.file || before?.offset !== after?.offset;
  };
  return sizeIn(overlaid, isOther);
}
