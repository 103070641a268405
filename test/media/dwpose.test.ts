import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '#dist/models/runtime/engine.js';
import { detectPoses } from '#dist/stages/pose/detect-poses.js';
import type { PoseDetector } from '#dist/stages/pose/detector.js';
import { createDwposeDetector } from '#dist/stages/pose/dwpose-detector.js';
import type { FrameStream, Person, RgbImage } from '#dist/stages/types.js';
import {
  type DottedPerson,
  drawDots,
  type NetworkFileOptions,
  truthOf,
  writePeopleFinder,
  writePointFinder,
} from '../support/dotted-people.js';

let dir: string;
let engine: Engine;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dwpose-'));
  engine = await createEngine({ provider: 'cpu', threads: 2 });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const onnxFile = async (file: string) => ({
  file,
  sha256: createHash('sha256')
    .update(await readFile(file))
    .digest('hex'),
});

/** A detector over networks written for it. */
async function open(options: NetworkFileOptions & { readonly size?: number; readonly engine?: Engine } = {}) {
  const name = [options.borders, options.batch, options.blind].join('-');
  return createDwposeDetector({
    engine: options.engine ?? engine,
    detector: await onnxFile(await writePeopleFinder(join(dir, `people${name}.onnx`), options)),
    pose: await onnxFile(await writePointFinder(join(dir, `points${name}.onnx`), options)),
    ...{ hands: true, face: true, batch: options.size ?? 4 },
  });
}

/** Farthest that a point lies from its dot, in pixels of the picture; every point has to be sure. */
function farthest(person: Person, truth: DottedPerson, { width, height }: RgbImage): number {
  let worst = 0;
  for (const [part, spots] of Object.entries(truthOf(truth)) as [keyof Person, { x: number; y: number }[]][]) {
    const points = person[part]!;
    expect(points.length).toBe(spots.length);
    spots.forEach((spot, i) => {
      expect(points[i]!.score, `${part} ${i}`).toBeGreaterThan(0.5);
      worst = Math.max(worst, Math.abs(points[i]!.x * width - spot.x), Math.abs(points[i]!.y * height - spot.y));
    });
  }
  return worst;
}

describe('from picture to pose through the engine', () => {
  it('puts every point on its dot: landscape, portrait, odd sizes, at the border, larger than the network sees', async () => {
    await using detector = await open();
    const cases: readonly (readonly [number, number, DottedPerson, number?])[] = [
      [320, 200, { x: 130, y: 60, spacing: 21 }],
      [180, 300, { x: 25, y: 120, spacing: 25 }],
      [211, 157, { x: 60.5, y: 31.25, spacing: 19 }],
      [97, 301, { x: 9, y: 180, spacing: 17 }],
      [641, 639, { x: 300, y: 200, spacing: 30 }],
      [200, 320, { x: 1, y: 2, spacing: 22 }],
      [320, 200, { x: 231, y: 133, spacing: 22 }],
      [1280, 720, { x: 700, y: 300, spacing: 50 }, 6],
    ];
    for (const [width, height, person, radius] of cases) {
      const image = drawDots(width, height, [person], radius);
      const people = await detector.detect(image);
      expect(people.length, `${width}x${height}`).toBe(1);
      expect(farthest(people[0]!, person, image), `${width}x${height}`).toBeLessThan(1);
    }
  });

  it('finds several people each in his own place', async () => {
    await using detector = await open({ borders: [250, 420] });
    const people = [
      { x: 20, y: 40, spacing: 16 },
      { x: 140, y: 90, spacing: 14 },
      { x: 230, y: 30, spacing: 18 },
    ];
    const image = drawDots(320, 200, people);
    const found = await detector.detect(image);
    expect(found.length).toBe(3);
    const places = found.map(({ body }) => body[0]!.x).sort((a, b) => a - b);
    for (const [i, person] of people.entries()) {
      const one = found.find(({ body }) => body[0]!.x === places[i])!;
      expect(farthest(one, person, image)).toBeLessThan(1);
    }
  });

  it('looks at the whole picture where the detector sees nobody, and takes an empty one for nobody', async () => {
    await using detector = await open();
    expect(await detector.detect(drawDots(120, 90, []))).toEqual([]);
    expect(await detector.detect({ width: 1, height: 1, data: Uint8Array.of(3, 2, 1) })).toEqual([]);
    await using blind = await open({ blind: true });
    const person = { x: 60, y: 40, spacing: 24 };
    const image = drawDots(220, 170, [person]);
    const found = await blind.detect(image);
    expect(found.length).toBe(1);
    expect(farthest(found[0]!, person, image)).toBeLessThan(1);
  });
});

describe('batches', () => {
  const moving = (frame: number): DottedPerson => ({ x: 20 + 7 * frame, y: 30 + 3 * frame, spacing: 18 });
  const frames = Array.from({ length: 11 }, (_, i) =>
    i === 6 ? drawDots(240, 160, []) : drawDots(240, 160, [moving(i)]),
  );
  const stream = (): FrameStream => ({
    ...{ width: 240, height: 160, frameRate: { num: 25, den: 1 }, frameCount: frames.length },
    frames: (async function* () {
      yield* frames;
    })(),
  });

  /** Counts the runs of an engine and what each was given. */
  function counting(): { readonly engine: Engine; readonly batches: number[] } {
    const batches: number[] = [];
    return {
      batches,
      engine: {
        ...engine,
        run(id, inputs, options) {
          batches.push((Object.values(inputs)[0] as { dims: readonly number[] }).dims[0]!);
          return engine.run(id, inputs, options);
        },
      },
    };
  }

  async function posesOf(detector: PoseDetector) {
    await using _ = detector;
    return await detectPoses(stream(), detector);
  }

  it('of a file that leaves their size open are several pictures; the poses are those of single ones', async () => {
    const [together, single] = [counting(), counting()];
    const poses = await posesOf(await open({ engine: together.engine }));
    expect(poses.detector).toBe('dwpose');
    poses.frames.forEach(({ people }, i) => {
      expect(people.length).toBe(i === 6 ? 0 : 1);
      if (people[0]) expect(farthest(people[0], moving(i), frames[i]!)).toBeLessThan(1);
    });
    const alone = await posesOf(await open({ batch: 1, engine: single.engine }));
    expect(alone.frames).toEqual(poses.frames);
    expect(new Set(single.batches)).toEqual(new Set([1]));
    expect(single.batches.length).toBe(22);
    expect(Math.max(...together.batches)).toBe(4);
    expect(together.batches.length).toBeLessThan(12);
  });
});

describe('what cannot be used', () => {
  it('other networks are refused by what they take and give', async () => {
    const people = await onnxFile(await writePeopleFinder(join(dir, 'a.onnx')));
    const points = await onnxFile(await writePointFinder(join(dir, 'b.onnx')));
    const make = (detector: typeof people, pose: typeof people) =>
      createDwposeDetector({ engine, detector, pose, hands: true, face: true });
    await expect(make(points, people)).rejects.toMatchObject({
      code: 'pose.dwpose-network',
      kind: 'model',
      details: {
        where: points.file,
        got: expect.stringContaining('"input" float32 [any, 3, 384, 288]'),
        expected: 'an input [any, 3, 640, 640]; outputs [any, 8400, 85]; all float32',
        hint: 'pantomime models pull dwpose',
      },
    });
    await expect(make(people, people)).rejects.toMatchObject({
      code: 'pose.dwpose-network',
      details: { where: people.file },
    });
    await expect(make({ ...people, sha256: '0' }, points)).rejects.toMatchObject({ code: 'engine.file-changed' });
  });

  it('pictures that are none, and anything after the end', async () => {
    const detector = await open();
    await expect(detector.detect({ width: 4, height: 4, data: new Uint8Array(47) })).rejects.toMatchObject({
      code: 'pose.bad-picture',
    });
    const late = expect(detector.detect(drawDots(40, 40, []))).rejects.toMatchObject({ code: 'pose.closed' });
    await detector[Symbol.asyncDispose]();
    await expect(detector.detect(drawDots(40, 40, []))).rejects.toMatchObject({ code: 'pose.closed' });
    await late;
  });

  it('an engine that ends while it looks', async () => {
    const other = await createEngine({ provider: 'cpu', threads: 1 });
    const detector = await open({ engine: other });
    const pending = detector.detect(drawDots(100, 100, []));
    process.kill(other.info.pid, 'SIGKILL');
    await expect(pending).rejects.toMatchObject({ code: 'engine.crashed' });
    await expect(detector.detect(drawDots(40, 40, []))).rejects.toMatchObject({ kind: 'device' });
    await detector[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });
});

const real = process.env.PANTOMIME_DWPOSE_DIR;
describe('the published networks', () => {
  it.skipIf(!real)(
    'find a drawn person (needs PANTOMIME_DWPOSE_DIR with yolox_l.onnx and dw-ll_ucoco_384.onnx)',
    async () => {
      const { loadReferencePicture } = await import('#dist/stages/reference/load-picture.js');
      const image = await loadReferencePicture('samples/reference/ida.png', {
        width: 256,
        height: 384,
        resample: 'antialiased',
      });
      await using detector = await createDwposeDetector({
        engine,
        detector: await onnxFile(join(real!, 'yolox_l.onnx')),
        pose: await onnxFile(join(real!, 'dw-ll_ucoco_384.onnx')),
        ...{ hands: true, face: true },
      });
      const [person] = await detector.detect(image);
      const seen = person!.body.filter(({ score }) => score > 0.3);
      expect(seen.length).toBeGreaterThan(12);
      const y = (joint: number) => person!.body[joint]!.y;
      expect(y(0)).toBeLessThan(y(1)); // nose above neck above hips above ankles
      expect(y(1)).toBeLessThan(Math.min(y(8), y(11)));
      expect(Math.max(y(8), y(11))).toBeLessThan(Math.min(y(10), y(13)));
    },
  );
});
