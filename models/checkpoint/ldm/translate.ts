import { PantomimeError } from '../../errors.js';
import { abbreviate, type Checkpoint, type TensorLocation } from '../checkpoint.js';

/** A tensor under its diffusers name. */
export type Named = readonly [name: string, location: TensorLocation];

/** The tensors that one tensor of another layout stands for; undefined for a name that layout does not have. */
export type Translation = (name: string, location: TensorLocation) => readonly Named[] | undefined;

/** Old name -> new name. A Map, since names come from files and an object knows names of its own. */
export function nameTable(names: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(names));
}

/**
 * `checkpoint` under the names of diffusers; every location stays where it is. Throws one PantomimeError
 * (`checkpoint.names`) that lists names `translate` does not know, and names that come out twice.
 */
export function translate(checkpoint: Checkpoint, translation: Translation, network: string): Checkpoint {
  const tensors = new Map<string, TensorLocation>();
  const wrong: string[] = [];
  for (const [name, location] of checkpoint.tensors) {
    const named = translation(name, location);
    if (!named) wrong.push(`${name} [${location.shape.join(', ')}] is unknown`);
    for (const [target, place] of named ?? []) {
      if (tensors.has(target)) wrong.push(`${name} is ${target}, which is there already`);
      tensors.set(target, place);
    }
  }
  if (wrong.length === 0) return { tensors, sources: checkpoint.sources };
  throw new PantomimeError({
    code: 'checkpoint.names',
    kind: 'model',
    what: `${wrong.length} tensors do not belong to the ${network}: ${abbreviate(wrong)}`,
    where: checkpoint.sources.join(', '),
    expected: 'the names of Stable Video Diffusion, as diffusers or as its authors published it',
    hint: 'Use weights of Stable Video Diffusion (image to video); other models have other networks.',
  });
}

/** The tensors below `prefix`, without it. */
export function below(checkpoint: Checkpoint, prefix: string): Checkpoint {
  const inside = [...checkpoint.tensors].filter(([name]) => name.startsWith(prefix));
  return {
    tensors: new Map(inside.map(([name, location]) => [name.slice(prefix.length), location])),
    sources: checkpoint.sources,
  };
}

/** A 1x1 convolution [O, I, 1, 1] as the linear layer [O, I] it is; other tensors as they are. */
export function asLinear(location: TensorLocation): TensorLocation {
  const [outputs, inputs, ...kernel] = location.shape;
  const isPointwise = kernel.length === 2 && kernel.every((size) => size === 1);
  return isPointwise ? { ...location, shape: [outputs as number, inputs as number] } : location;
}
