import { abbreviate, type Checkpoint, isWeight, type WeightLocation } from '../checkpoint/checkpoint.js';
import { PantomimeError } from '../errors.js';

export type ParameterOptions = {
  /** Shape in which the graph sees the same bytes, e.g. a [O, I, 3, 1, 1] convolution as [O, I, 3, 1]. */
  readonly view?: readonly number[] | undefined;
  /** In the checkpoint, and checked, but not part of the computation. */
  readonly unused?: boolean;
};

/** One named tensor of a checkpoint, with the shape it must have there. */
export class Parameter {
  readonly shape: readonly number[];
  /** Shape in the graph; same number of elements. */
  readonly dims: readonly number[];
  readonly unused: boolean;

  constructor(shape: readonly number[], options: ParameterOptions = {}) {
    this.shape = shape;
    this.dims = options.view ?? shape;
    this.unused = options.unused ?? false;
  }
}

/**
 * A node of a module tree. Property names are the checkpoint's key segments: a property holds a Parameter, a Module or
 * an array of modules (its index is a segment; holes stand for layers without weights). Other properties are ignored.
 */
export abstract class Module {
  protected readonly isModule = true;
}

/** Marks everything below a module as present in the checkpoint but not used; returns the module. */
export function unused<M extends Module>(module: M): M {
  walk(module, '', (_name, node) => {
    if (node instanceof Parameter) Object.assign(node, { unused: true });
  });
  return module;
}

/** Calls `visit` with the dotted name of every module and parameter below `node`, in declaration order. */
export function walk(node: unknown, name: string, visit: (name: string, node: Module | Parameter) => void): void {
  if (node instanceof Parameter) visit(name, node);
  else if (node instanceof Module) {
    visit(name, node);
    for (const [key, child] of Object.entries(node)) walk(child, name ? `${name}.${key}` : key, visit);
  } else if (Array.isArray(node)) {
    node.forEach((child, index) => {
      walk(child, `${name}.${index}`, visit);
    });
  }
}

/** Every parameter of a module tree: checkpoint name -> checkpoint shape. */
export function listParameters(module: Module): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  walk(module, '', (name, node) => {
    if (node instanceof Parameter) shapes.set(name, node.shape);
  });
  return shapes;
}

export type Binding = ReadonlyMap<Parameter, { readonly name: string; readonly location: WeightLocation }>;

/** Where the tensors of a checkpoint and the parameters of a module differ. */
export type Mismatch = {
  /** Built, but not in the checkpoint. */
  readonly missing: readonly string[];
  /** In the checkpoint, but not built. */
  readonly unexpected: readonly string[];
  /** With both shapes, in words. */
  readonly misshaped: readonly string[];
};

/** Finds every parameter of `module` in `checkpoint`, and every tensor of `checkpoint` in `module`. */
export function compareNames(
  module: Module,
  checkpoint: Checkpoint,
): Mismatch & { readonly binding: Binding; readonly parameters: number; readonly weights: number } {
  const binding = new Map<Parameter, { name: string; location: WeightLocation }>();
  const missing: string[] = [];
  const misshaped: string[] = [];
  const known = new Set<string>();
  walk(module, '', (name, node) => {
    if (!(node instanceof Parameter)) return;
    known.add(name);
    const location = checkpoint.tensors.get(name);
    if (!location || !isWeight(location)) missing.push(name);
    else if (!sameShape(location.shape, node.shape))
      misshaped.push(`${name} is [${location.shape.join(', ')}], not [${node.shape.join(', ')}]`);
    else binding.set(node, { name, location });
  });
  const weights = [...checkpoint.tensors].filter(([, location]) => isWeight(location)).map(([name]) => name);
  const unexpected = weights.filter((name) => !known.has(name));
  return { binding, missing, unexpected, misshaped, parameters: known.size, weights: weights.length };
}

/**
 * Finds every parameter of `module` in `checkpoint`. Strict both ways: throws one PantomimeError (`model.mismatch`)
 * that lists names that are missing, left over or of another shape.
 */
export function bind(module: Module, checkpoint: Checkpoint, what: string): Binding {
  const { binding, missing, unexpected, misshaped, parameters, weights } = compareNames(module, checkpoint);
  if (missing.length + misshaped.length + unexpected.length > 0) {
    const parts = [
      excerpt('missing', missing),
      excerpt('unexpected', unexpected),
      excerpt('of another shape', misshaped),
    ];
    throw new PantomimeError({
      code: 'model.mismatch',
      kind: 'model',
      what: `the checkpoint does not fit the ${what}: ${parts.filter(Boolean).join('; ')}`,
      where: checkpoint.sources.join(', '),
      got: `${weights} tensors`,
      expected: `${parameters} tensors`,
      hint: 'Check that the weights and their config.json belong to the same model.',
    });
  }
  return binding;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

function excerpt(label: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${names.length} ${label} (${abbreviate(names, 20)})`;
}
