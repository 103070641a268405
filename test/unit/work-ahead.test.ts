import { describe, expect, it } from 'vitest';
import { type FloatTensor, floatTensor } from '#dist/models/tensor.js';
import { poseWorkers } from '#dist/pipeline/pose-workers.js';
import type { Run } from '#dist/pipeline/run.js';
import { together } from '#dist/pipeline/together.js';
import { decodeLatents } from '#dist/stages/decode-latents.js';
import { type SampleOptions, sample, type WindowsRequest } from '#dist/stages/denoise/sample.js';
import { contextWindows } from '#dist/stages/denoise/windows.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('sampling', () => {
  const frames = 10;
  const windows = contextWindows(frames, { chunk: 4, overlap: 1, anchor: 'true', fusion: 'flat', phase: 0 });
  const schedule = {
    sigmas: Float32Array.of(3, 2, 1, 0),
    timesteps: Float32Array.of(0.3, 0.2, 0),
    initNoiseSigma: 3,
  };
  const start = () =>
    floatTensor(
      [frames, 1, 1, 2],
      Float32Array.from({ length: frames * 2 }, (_, i) => i / 7),
    );
  /** Depends on everything that it is given. */
  const predicted = ({ latents, sigma, windows }: WindowsRequest): FloatTensor => {
    const frames = windows.flatMap((window) => window.frames);
    return { ...latents, data: latents.data.map((value, i) => value * sigma + (frames[i >> 1] as number)) };
  };
  const run = (changes: Partial<SampleOptions>) =>
    sample(start(), { schedule, windowsAt: () => windows, predict: async (request) => predicted(request), ...changes });

  it('asks for the next window before it fuses one, never for more, and gives what it gives one by one', async () => {
    const log: string[] = [];
    let [open, most] = [0, 0];
    let last: Promise<unknown> = Promise.resolve();
    const result = await run({
      // As an engine does: requests may queue, and are worked on one after another.
      predict: (request) => {
        log.push(`ask ${request.step}`);
        most = Math.max(most, ++open);
        const answer = last.then(turn).then(() => predicted(request));
        last = answer;
        return answer.finally(() => open--);
      },
      onPrediction: (step, k) => void log.push(`fuse ${step} ${k}`),
      onStep: (step) => void log.push(`step ${step}`),
    });
    expect(most).toBe(2);
    expect(log.slice(0, 5)).toEqual(['ask 0', 'ask 0', 'ask 0', 'fuse 0 0', 'fuse 0 1']);
    expect(log.indexOf('ask 1')).toBe(log.indexOf('step 0') + 1);
    expect(result.data).toEqual((await run({})).data);
  });

  it('asks for several windows together, and gives the same', async () => {
    const seen: unknown[] = [];
    const onPrediction: SampleOptions['onPrediction'] = (step, k, { dims, data }) => {
      if (step === 0) seen.push([k, dims, [...data]]);
    };
    const alone = await run({ onPrediction });
    const one = seen.splice(0);
    const calls: number[][] = [];
    const together = await run({
      onPrediction,
      windowsTogether: 2,
      predict: async (request) => {
        calls.push([request.step, request.call, request.windows.length, request.later.length]);
        return predicted(request);
      },
    });
    expect(windows).toHaveLength(3);
    expect(calls.slice(0, 2)).toEqual([
      [0, 0, 2, 1],
      [0, 1, 1, 0],
    ]);
    expect(seen).toEqual(one);
    expect(together.data).toEqual(alone.data);
    expect((await run({ windowsTogether: 3 })).data).toEqual(alone.data);
  });

  it('calls for more devices than one, all of three windows for two', async () => {
    let [open, most] = [0, 0];
    await run({
      callsAtOnce: 2,
      predict: async (request) => {
        most = Math.max(most, ++open);
        await turn();
        open--;
        return predicted(request);
      },
    });
    expect(most).toBe(3);
  });

  it('saves a step while the next is predicted, and waits for it before it takes anything of that', async () => {
    const log: string[] = [];
    await run({
      predict: async (request) => {
        log.push(`ask ${request.step}`);
        return predicted(request);
      },
      onPrediction: (step) => void log.push(`fuse ${step}`),
      onStep: async (step) => {
        for (let i = 0; i < 20; i++) await turn();
        log.push(`saved ${step}`);
      },
    });
    expect(log.indexOf('ask 1')).toBeLessThan(log.indexOf('saved 0'));
    expect(log.indexOf('saved 0')).toBeLessThan(log.indexOf('fuse 1'));
    expect(log.at(-1)).toBe('saved 2');
  });

  it('fails with what failed first, a step that cannot be saved as well', async () => {
    const full = new Error('no room');
    await expect(run({ onStep: () => Promise.reject(full) })).rejects.toBe(full);
    const lost = new Error('engine lost');
    await expect(run({ predict: () => Promise.reject(lost) })).rejects.toBe(lost);
  });
});

it('the next chunk is decoded while the pictures of one are taken', async () => {
  const asked: number[] = [];
  const decode = async (latents: FloatTensor) => {
    asked.push(latents.dims[0] as number);
    return floatTensor([latents.dims[0] as number, 3, 2, 2]);
  };
  const options = { chunk: 4, overlap: 0, mode: 'reference', scalingFactor: 1 } as const;
  const seen: number[] = [];
  for await (const _ of decodeLatents(floatTensor([10, 1, 1, 1]), decode, options)) seen.push(asked.length);
  expect(seen).toEqual([2, 2, 2, 2, 3, 3, 3, 3, 3, 3]);
  expect(asked).toEqual([4, 4, 2]);
});

describe('work beside each other', () => {
  const outer = new AbortController();
  const run = { signal: outer.signal } as Run;
  const untilEnded = (beside: Run) =>
    new Promise<never>((_, reject) => {
      beside.signal.addEventListener('abort', () => setTimeout(() => reject(new Error('late')), 20));
    });

  it('gives both results', async () => {
    expect(
      await together(
        run,
        async () => 1,
        async () => 'two',
      ),
    ).toEqual([1, 'two']);
  });

  it('ends the other when one fails, waits for its end, and fails with the first error', async () => {
    let ended = false;
    const slow = (beside: Run) =>
      untilEnded(beside).finally(() => {
        ended = true;
      });
    await expect(together(run, slow, () => Promise.reject(new Error('first')))).rejects.toThrow('first');
    expect([ended, outer.signal.aborted]).toEqual([true, false]);
  });
});

it('pose workers: as asked, else one a core, half beside an engine on the CPU, less where memory is short', () => {
  const machine = (cores: number, gigabytes: number) => ({ cores, freeBytes: gigabytes * 1e9 });
  expect(poseWorkers(7, 'cpu-engine', machine(2, 1))).toBe(7);
  expect(poseWorkers(null, 'nothing', machine(8, 64))).toBe(8);
  expect(poseWorkers(null, 'cpu-engine', machine(8, 64))).toBe(4);
  expect(poseWorkers(null, 'cpu-engine', machine(1.5, 64))).toBe(1);
  expect(poseWorkers(null, 'nothing', machine(8, 3))).toBe(3);
  expect(poseWorkers(null, 'nothing', machine(128, 500))).toBe(16);
});
