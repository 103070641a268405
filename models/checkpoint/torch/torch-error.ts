import { PantomimeError } from '../../errors.js';

/** Why a PyTorch file was not opened; the code is `torch.` and this. */
export type TorchFault =
  | 'legacy'
  | 'script'
  | 'malformed'
  | 'compressed'
  | 'limit'
  | 'refused'
  | 'layout'
  | 'no-tensors';

const resave =
  'Save the weights again as a safetensors file, or with torch.save(model.state_dict(), FILE) of PyTorch 1.6 or newer.';

const hints: Readonly<Record<TorchFault, string>> = {
  legacy: resave,
  script: 'Use the checkpoint the program was made from, not the exported program.',
  malformed: 'The file is damaged or was not downloaded completely; get it again.',
  compressed: 'Use the file as it was published; do not pack it again.',
  limit: 'Is this really a file of model weights?',
  refused: `Nothing of it was run. ${resave}`,
  layout: 'Save the tensors with .contiguous(), or as a safetensors file.',
  'no-tensors': `Expected a dictionary of tensors, by itself or below "state_dict". ${resave}`,
};

/** A PantomimeError of kind `model` about the PyTorch file at `path`. */
export function torchError(fault: TorchFault, path: string, what: string): PantomimeError {
  return new PantomimeError({ code: `torch.${fault}`, kind: 'model', what, where: path, hint: hints[fault] });
}
