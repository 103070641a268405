/**
 * Seconds of each candidate in each round. They take turns, so that what else the machine does falls on all of them alike, and
 * ratios of one round hold on a machine that is not idle. A first round, in which memory is taken and caches are filled, does
 * not count.
 */
export async function takeTurns<Name extends string>(
  candidates: Readonly<Record<Name, () => Promise<unknown>>>,
  rounds: number,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(candidates) as Name[];
  const seconds = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const begun = performance.now();
      await candidates[name]();
      if (round >= 0) seconds[name].push((performance.now() - begun) / 1000);
    }
  }
  return seconds;
}
