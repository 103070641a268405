/** A stream of random numbers that depends on nothing but its seed and its name. */
export type Chance = {
  /** In [0, 1). */
  next(): number;
  between(low: number, high: number): number;
  /** Mean 0, standard deviation 1, never over 6. */
  normal(): number;
  /** True with probability `share`. */
  happens(share: number): boolean;
  pick<T>(items: readonly T[]): T;
};

/** The stream called `name` of a whole-number seed (sfc32 of Chris Doty-Humphrey's PractRand). */
export function chanceOf(seed: number, name: string): Chance {
  let a = hash(name, 0x9e37_79b9);
  let b = hash(name, seed >>> 0);
  let c = hash(name, Math.floor(seed / 0x1_0000_0000) >>> 0) ^ (seed >>> 0);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let warmUp = 0; warmUp < 16; warmUp++) next();
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    normal: () => {
      let total = -6;
      for (let i = 0; i < 12; i++) total += next();
      return total;
    },
    happens: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
  };
}

/** FNV-1a over the name, begun with `start`. */
function hash(name: string, start: number): number {
  let h = 0x811c_9dc5 ^ start;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x0100_0193);
  h = Math.imul(h ^ (h >>> 16), 0x7feb_352d);
  return (h ^ (h >>> 15)) >>> 0;
}
