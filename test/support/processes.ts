import { readdir, readFile } from 'node:fs/promises';

/** Every process whose parent, or its parent and so on, is `root`. Linux only. */
export async function descendants(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    parents.set(Number(name), Number(/\) \w (\d+)/.exec(text)?.[1] ?? 0));
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === root || (parent > 1 && isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

/** Those of them whose command line matches, e.g. the engine or ffmpeg. */
export async function descendantsNamed(root: number, name: RegExp): Promise<number[]> {
  const all = await descendants(root);
  const lines = await Promise.all(all.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return all.filter((_, i) => name.test(lines[i] as string));
}

/** Processes that still run, by their ids; one that has ended and not been collected does not count. */
export async function alive(pids: readonly number[]): Promise<number[]> {
  const states = await Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/stat`, 'utf8').then(
        (text) => /\) (\w)/.exec(text)?.[1] ?? 'X',
        () => 'X',
      ),
    ),
  );
  return pids.filter((_, i) => !'XZ'.includes(states[i] as string));
}
