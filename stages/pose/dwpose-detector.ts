import { PantomimeError } from '../../models/errors.js';
import type { Engine, OnnxFile } from '../../models/runtime/engine.js';
import type { Person, RgbImage } from '../types.js';
import { checkPicture } from './check-picture.js';
import type { PoseDetector } from './detector.js';
import { personBoxes, rowCount, rowLength } from './dwpose-boxes.js';
import { cropHeight, cropRegion, cropWidth, regionOf } from './dwpose-crop.js';
import { detectorSide, letterbox } from './dwpose-letterbox.js';
import { type NetworkForm, openNetwork } from './dwpose-network.js';
import { type PersonOptions, wholeBodyPerson } from './dwpose-person.js';
import { columnPlaces, decodePoints, rowPlaces, wholeBodyPoints } from './dwpose-simcc.js';

export type DwposeOptions = PersonOptions & {
  /** Whose process computes; it is not closed with the detector. */
  readonly engine: Engine;
  /** YOLOX-L: where people are. */
  readonly detector: OnnxFile;
  /** RTMPose: their 133 points. */
  readonly pose: OnnxFile;
  /** Pictures and people in one run of a network, where its file allows more than one. Default 4. */
  readonly batch?: number;
  readonly signal?: AbortSignal | undefined;
};

const peopleFinder: NetworkForm = {
  title: 'the person detector of DWPose (YOLOX)',
  input: [3, detectorSide, detectorSide],
  outputs: [[rowCount, rowLength]],
};

const pointFinder: NetworkForm = {
  title: 'the pose network of DWPose (RTMPose, 133 points, 384x288)',
  input: [3, cropHeight, cropWidth],
  outputs: [
    [wholeBodyPoints, columnPlaces],
    [wholeBodyPoints, rowPlaces],
  ],
};

type Waiting = {
  readonly image: RgbImage;
  readonly resolve: (people: readonly Person[]) => void;
  readonly reject: (reason: unknown) => void;
};

/**
 * DWPose with the pre- and post-processing of ControlNeXt-SVD-v2 and MimicMotion: people are found in a 640x640 letterbox, each
 * is cut out and his points are read from SimCC vectors. Where nobody is found, the whole picture is looked at as one person.
 * Pictures that wait at the same time share runs of the networks.
 *
 * Throws what {@link openNetwork} does; `detect` rejects with the engine's errors, `interrupted` when `signal` aborts.
 */
export async function createDwposeDetector(options: DwposeOptions): Promise<PoseDetector> {
  const { engine, batch = 4, signal } = options;
  const people = await openNetwork(engine, options.detector, peopleFinder, signal);
  const points = await openNetwork(engine, options.pose, pointFinder, signal).catch(async (error: unknown) => {
    await people.close();
    throw error;
  });

  const find = async (images: readonly RgbImage[]): Promise<readonly (readonly Person[])[]> => {
    const pictures = images.map(letterbox);
    const found = await people.run(pictures.map(({ data }) => data));
    const regions = images.flatMap((image, i) => {
      const boxes = personBoxes(found[i]?.[0] as Float32Array, pictures[i]?.ratio as number);
      const whole = { left: 0, top: 0, right: image.width, bottom: image.height };
      return (boxes.length > 0 ? boxes : [whole]).map((box) => ({ image, region: regionOf(box) }));
    });
    const persons = new Map<RgbImage, Person[]>(images.map((image) => [image, []]));
    for (let from = 0; from < regions.length; from += batch) {
      const part = regions.slice(from, from + batch);
      const results = await points.run(part.map(({ image, region }) => cropRegion(image, region)));
      part.forEach(({ image, region }, i) => {
        const [columns, rows] = results[i] as readonly [Float32Array, Float32Array];
        const person = wholeBodyPerson(decodePoints(columns, rows, region), image, options);
        if (person) persons.get(image)?.push(person);
      });
    }
    return images.map((image) => persons.get(image) ?? []);
  };

  const queue: Waiting[] = [];
  let working = false;
  let closed = false;
  const work = async () => {
    if (working) return;
    working = true;
    while (queue.length > 0) {
      const taken = queue.splice(0, batch);
      try {
        const found = await find(taken.map(({ image }) => image));
        taken.forEach(({ resolve }, i) => void resolve(found[i] as readonly Person[]));
      } catch (error) {
        for (const { reject } of taken) reject(closed ? afterEnd() : error);
      }
    }
    working = false;
  };

  return {
    name: 'dwpose',
    workers: batch,
    async detect(image, { give } = {}) {
      checkPicture(image);
      if (closed) throw afterEnd();
      const own = give ? image : { ...image, data: new Uint8Array(image.data) };
      return new Promise((resolve, reject) => {
        queue.push({ image: own, resolve, reject });
        void work();
      });
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all([people.close(), points.close()]);
    },
  };
}

function afterEnd(): PantomimeError {
  return new PantomimeError({ code: 'pose.closed', kind: 'internal', what: 'pose detection was used after its end' });
}
