import { describe, expect, it } from 'vitest';
import { inShard, parseShard } from '#dist/pipeline/batch/shard.js';
import type { Pair } from '#dist/pipeline/batch/types.js';

const pairOf = (option: 'video' | 'pose', path: string, name = 'x'): Pair => ({
  name,
  layer: { entries: new Map([[option, { value: path, where: path }]]), problems: [] },
});

describe('a shard', () => {
  it('is I/N', () => {
    expect(parseShard('2/5')).toEqual({ index: 2, count: 5 });
    expect(parseShard(' 1 / 1 ')).toEqual({ index: 1, count: 1 });
  });

  it.each(['', '2', '0/5', '6/5', '1/0', '-1/2', '1.5/2', '1/2/3', '1/99999', 'a/b', '1/1e3', `1/${'9'.repeat(400)}`])(
    'is not %j',
    (text) => {
      expect(() => parseShard(text)).toThrowError(expect.objectContaining({ code: 'batch.shard', kind: 'usage' }));
    },
  );

  it('takes each clip on exactly one machine, in about equal parts', () => {
    const pairs = Array.from({ length: 2000 }, (_, i) => pairOf('video', `/clips/clip${i}.mp4`));
    const shards = [1, 2, 3, 4].map((index) => ({ index, count: 4 }));
    for (const pair of pairs) expect(shards.filter((shard) => inShard(pair, shard))).toHaveLength(1);
    for (const shard of shards) {
      const part = pairs.filter((pair) => inShard(pair, shard)).length;
      expect(part).toBeGreaterThan(400);
      expect(part).toBeLessThan(600);
    }
  });

  it('depends on the file name of the clip alone', () => {
    for (let i = 0; i < 50; i++) {
      const shard = { index: 1, count: 3 };
      const here = inShard(pairOf('video', `/a/\u00e9${i}.mp4`, 'one'), shard);
      expect(inShard(pairOf('video', `/mnt/b/e\u0301${i}.mp4`, 'two'), shard)).toBe(here);
    }
  });

  it('stays what it is, so that machines of different age agree', () => {
    const mine = Array.from({ length: 12 }, (_, i) => inShard(pairOf('video', `clip${i}.mp4`), { index: 1, count: 2 }));
    expect(mine.map(Number).join('')).toBe('011001000000');
  });

  it('spreads poses of many runs, whose files have one name', () => {
    const pairs = Array.from({ length: 40 }, (_, i) => pairOf('pose', `/runs/dance${i}/pose.json`));
    const part = pairs.filter((pair) => inShard(pair, { index: 1, count: 2 })).length;
    expect(part).toBeGreaterThan(5);
    expect(part).toBeLessThan(35);
  });
});
