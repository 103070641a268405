import { open } from 'node:fs/promises';
import { PantomimeError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { isFolder, isReadable } from './files.js';
import { openSafetensors } from './safetensors.js';
import { openShards } from './shards.js';
import { openTorchCheckpoint } from './torch/torch-checkpoint.js';
import { torchError } from './torch/torch-error.js';
import { findWeights, type Variant } from './weight-files.js';

/** Names of weight files in the folder of a network: diffusers, and transformers for both of its formats. */
export const weightStems = ['diffusion_pytorch_model', 'model', 'pytorch_model'] as const;

/**
 * Opens the weights of one network, in any of these forms: a `.safetensors` file, a file of `torch.save`, an index of
 * shards (`*.index.json`), or a folder that holds one of them under a published name. Files are recognised by their
 * first bytes, not by their ending. Only headers are read.
 */
export async function openCheckpoint(path: string, variant: Variant = 'auto'): Promise<Checkpoint> {
  if (await isFolder(path)) return openFolder(path, variant);
  if (path.endsWith('.index.json') || path.endsWith('.index.fp16.json')) return openShards(path, openFile);
  return openFile(path);
}

async function openFolder(folder: string, variant: Variant): Promise<Checkpoint> {
  const path = await findWeights(folder, weightStems, variant);
  if (path) return openCheckpoint(path);
  throw new PantomimeError({
    code: 'checkpoint.empty-folder',
    kind: 'model',
    what: `the folder has no weights${variant === 'auto' ? '' : ` of the variant ${variant}`}`,
    where: folder,
    expected: weightStems.map((stem) => `${stem}.safetensors`).join(' or '),
    hint: 'Name the file of weights itself.',
  });
}

/** First bytes of a ZIP, which PyTorch writes since 1.6. */
const zip = Buffer.from('PK\u0003\u0004');
/** First bytes of the pickles that PyTorch wrote before. */
const legacyPickle = Buffer.from([0x80, 0x02, 0x8a, 0x0a]);

async function openFile(path: string): Promise<Checkpoint> {
  const start = await firstBytes(path);
  if (start.equals(zip)) return openTorchCheckpoint(path);
  // A safetensors file begins with the length of its header, which is never this long.
  if (start.equals(legacyPickle)) throw torchError('legacy', path, 'is a PyTorch file of before version 1.6');
  return openSafetensors(path);
}

/** Nothing when it cannot be read: opening as safetensors says why. */
async function firstBytes(path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(4);
  if (!(await isReadable(path))) return bytes;
  const handle = await open(path, 'r');
  try {
    await handle.read(bytes, 0, bytes.length, 0);
    return bytes;
  } finally {
    await handle.close();
  }
}
