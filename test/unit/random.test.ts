import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cosSinOfTurn, createRandom, frameNormals, logarithm, philox } from '#dist/models/random.js';

describe('philox', () => {
  // Known-answer vectors of the Random123 distribution, philox4x32 10.
  it.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5e169c58dbc57ac4c9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '408f276d41c83b0ea20bc7c66d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe0994fdcceb5001e42024126ea1'],
  ])('%j', (counter, [key0, key1], expected) => {
    const block = Uint32Array.from(counter);
    philox(block, key0!, key1!);
    expect([...block].map((word) => word.toString(16).padStart(8, '0')).join('')).toBe(expected);
  });
});

describe('elementary functions', () => {
  it('agree with the library to the last bits', () => {
    let logError = 0;
    let turnError = 0;
    for (let i = 1; i <= 20_000; i++) {
      const x = i / 20_000;
      logError = Math.max(logError, Math.abs(logarithm(x) - Math.log(x)) / Math.max(Math.abs(Math.log(x)), 1e-300));
      const [cosine, sine] = cosSinOfTurn(x - 1 / 20_000);
      const angle = (x - 1 / 20_000) * 2 * Math.PI;
      turnError = Math.max(turnError, Math.abs(cosine - Math.cos(angle)), Math.abs(sine - Math.sin(angle)));
    }
    expect(logError).toBeLessThan(1e-15);
    expect(turnError).toBeLessThan(2e-15);
    expect(logarithm(2 ** -53)).toBeCloseTo(-53 * Math.LN2, 13);
  });
});

describe('createRandom', () => {
  it('gives the same bytes everywhere', () => {
    const noise = frameNormals(42, 'latents', 3, [4, 8, 8]);
    expect(createHash('sha256').update(noise.data).digest('hex')).toMatchInlineSnapshot(
      `"2760c2fb50349dd47d45885256824401942ef7d08ac0bf05b5a0ecbe4c923c7f"`,
    );
  });

  it('addresses frames: neither their number nor their order matters', () => {
    const all = frameNormals('seed', 'latents', 9, [4, 3, 5]);
    const some = frameNormals('seed', 'latents', 2, [4, 3, 5], 6);
    expect(some.data).toEqual(all.data.slice(6 * 60, 8 * 60));
    expect(createRandom('seed', 'latents').normals(8, 59)).toEqual(all.data.slice(8 * 60, 9 * 60 - 1));
  });

  it('tells seeds and streams apart, but not 7 from "7"', () => {
    const first = createRandom(7, 'a').normals(0, 100);
    expect(createRandom('7', 'a').normals(0, 100)).toEqual(first);
    expect(createRandom(8, 'a').normals(0, 100)).not.toEqual(first);
    expect(createRandom(7, 'b').normals(0, 100)).not.toEqual(first);
    expect(createRandom(7, 'a').normals(1, 100)).not.toEqual(first);
  });

  it('draws standard normals and uniforms', () => {
    const count = 200_000;
    const normals = createRandom(1, 'moments').normals(0, count);
    const moment = (power: number) => normals.reduce((sum, x) => sum + x ** power, 0) / count;
    // Five standard errors each: sqrt(1, 2, 15, 96) / sqrt(count).
    expect(Math.abs(moment(1))).toBeLessThan(0.0112);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.0158);
    expect(Math.abs(moment(3))).toBeLessThan(0.0434);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.11);
    const uniforms = createRandom(1, 'moments').uniforms(0, count);
    expect(uniforms.every((u) => u >= 0 && u < 1)).toBe(true);
    expect(Math.abs(uniforms.reduce((sum, u) => sum + u, 0) / count - 0.5)).toBeLessThan(0.0033);
  });

  it('refuses an index that is not one', () => {
    expect(() => createRandom(1, 'x').normals(-1, 2)).toThrow(RangeError);
    expect(() => createRandom(1, 'x').normals(2 ** 32, 2)).toThrow(RangeError);
  });
});
