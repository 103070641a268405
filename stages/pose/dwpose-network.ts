import { PantomimeError } from '../../models/errors.js';
import type { Engine, OnnxFile, OpenPort, OpenPorts } from '../../models/runtime/engine.js';
import { floatTensor, sizeOf } from '../../models/tensor.js';

/** What a network takes and gives for one item; in its files a first axis counts items. */
export type NetworkForm = {
  /** What it is for, for messages. */
  readonly title: string;
  readonly input: readonly number[];
  readonly outputs: readonly (readonly number[])[];
};

/** A network from an ONNX file, ready to run. */
export type Network = {
  /**
   * The outputs of each item, in the order of the items. Several items are one run where the file allows that, else they are
   * run one by one.
   */
  run(items: readonly Float32Array[]): Promise<readonly (readonly Float32Array[])[]>;
  /** Frees it; a network of an engine that is gone is free already. */
  close(): Promise<void>;
};

/**
 * Loads an ONNX file into the engine. Names of inputs and outputs are its own; number, type and shapes must be those of `form`.
 * Throws what `Engine.loadFile` does, and `pose.dwpose-network` (kind `model`) when it is another kind of network.
 */
export async function openNetwork(
  engine: Engine,
  source: OnnxFile,
  form: NetworkForm,
  signal: AbortSignal | undefined,
): Promise<Network> {
  const loaded = await engine.loadFile(source);
  const close = () => engine.release(loaded.session).catch(() => {});
  const [input] = loaded.inputs;
  if (!input || !hasForm(loaded, form)) {
    await close();
    throw otherNetwork(source.file, form, portsText(loaded), formText(form));
  }
  const batched = input.dims[0] === null;

  const runTogether = async (items: readonly Float32Array[]) => {
    const results = await engine.run(loaded.session, { [input.name]: stack(items, form.input) }, { signal });
    const outputs = loaded.outputs.map(({ name }, i) => {
      const dims = [items.length, ...(form.outputs[i] as readonly number[])];
      const { data, dims: got } = results[name] ?? floatTensor([0]);
      if (!(data instanceof Float32Array) || dims.join() !== got.join())
        throw otherNetwork(source.file, form, shape(got), shape(dims));
      if (!data.every(Number.isFinite)) throw notFinite(source.file, engine.info.provider);
      return data;
    });
    return items.map((_, item) =>
      outputs.map((data) =>
        data.subarray((data.length / items.length) * item, (data.length / items.length) * (item + 1)),
      ),
    );
  };
  return {
    close,
    async run(items) {
      if (items.length === 0) return [];
      if (batched) return runTogether(items);
      const results: (readonly Float32Array[])[] = [];
      for (const item of items) results.push(...(await runTogether([item])));
      return results;
    },
  };
}

function stack(items: readonly Float32Array[], form: readonly number[]) {
  const length = sizeOf(form);
  const data = new Float32Array(items.length * length);
  for (const [i, item] of items.entries()) data.set(item, i * length);
  return floatTensor([items.length, ...form], data);
}

function hasForm({ inputs, outputs }: OpenPorts, form: NetworkForm): boolean {
  return (
    inputs.length === 1 &&
    takes(inputs[0], form.input) &&
    outputs.length === form.outputs.length &&
    // A file may leave the shapes of its outputs open; what comes out is checked then.
    outputs.every((port, i) => port.dims.length === 0 || takes(port, form.outputs[i]))
  );
}

/** One item, or any number of them, of these sizes. */
function takes(port: OpenPort | undefined, form: readonly number[] = []): boolean {
  const { dtype, dims } = port ?? { dtype: 'none', dims: [] };
  const fits = [1, ...form].every((n, axis) => dims[axis] === null || dims[axis] === n);
  return dtype === 'float32' && dims.length === form.length + 1 && fits;
}

function otherNetwork(where: string, { title }: NetworkForm, got: string, expected: string): PantomimeError {
  const hint = 'pantomime models pull dwpose';
  return new PantomimeError({
    ...{ code: 'pose.dwpose-network', kind: 'model', what: `this is not ${title}`, where, got, expected, hint },
  });
}

function notFinite(where: string, provider: string): PantomimeError {
  return new PantomimeError({
    code: 'pose.dwpose-not-finite',
    kind: 'device',
    what: `the network gives values on ${provider} that are no numbers`,
    where,
    hint: provider === 'cpu' ? 'pantomime models pull dwpose' : '--device cpu',
  });
}

function portsText({ inputs, outputs }: OpenPorts): string {
  const list = (ports: readonly OpenPort[]) =>
    ports.slice(0, 8).map(({ name, dtype, dims }) => `${JSON.stringify(name.slice(0, 40))} ${dtype} ${shape(dims)}`);
  return `inputs ${list(inputs).join(', ')}; outputs ${list(outputs).join(', ')}`;
}

function formText({ input, outputs }: NetworkForm): string {
  const outputText = outputs.map((dims) => shape([null, ...dims])).join(', ');
  return `an input ${shape([null, ...input])}; outputs ${outputText}; all float32`;
}

function shape(dims: readonly (number | null)[]): string {
  return `[${dims.map((dim) => dim ?? 'any').join(', ')}]`;
}
