/** One operator as memory sees it: names of what it reads, and names and sizes of what it makes. */
export type LiveNode = {
  readonly inputs: readonly string[];
  readonly outputs: readonly { readonly name: string; readonly bytes: number }[];
  /** The output is the input's memory under another shape. */
  readonly alias: boolean;
};

/** Operators whose result shares the memory of their first input. */
export const aliasingOperators: ReadonlySet<string> = new Set(['Reshape', 'Identity']);

/**
 * Largest sum of computed tensors that are alive together when `nodes` run in order and every tensor is freed after its
 * last use. Weights and constants do not count.
 */
export function peakLiveBytes(nodes: readonly LiveNode[]): number {
  const owner = new Map<string, string>();
  const ownerOf = (name: string) => owner.get(name) ?? name;
  for (const { inputs, outputs, alias } of nodes) {
    const [source, result] = [inputs[0], outputs[0]];
    if (alias && source !== undefined && result) owner.set(result.name, ownerOf(source));
  }
  const lastUse = new Map<string, number>();
  nodes.forEach(({ inputs }, at) => {
    for (const name of inputs) lastUse.set(ownerOf(name), at);
  });
  const alive = new Map<string, number>();
  let [now, peak] = [0, 0];
  nodes.forEach(({ inputs, outputs, alias }, at) => {
    if (!alias) {
      for (const { name, bytes } of outputs) {
        alive.set(name, bytes);
        now += bytes;
      }
    }
    peak = Math.max(peak, now);
    for (const name of new Set([...inputs, ...outputs.map((output) => output.name)].map(ownerOf))) {
      if ((lastUse.get(name) ?? at) > at) continue;
      now -= alive.get(name) ?? 0;
      alive.delete(name);
    }
  });
  return peak;
}
