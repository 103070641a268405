import { describe, expect, it } from 'vitest';
import { chanceOf } from '#dist/samples/cast/chance.js';
import { disturbanceOf, disturbPerson } from '#dist/samples/cast/disturb.js';
import { drawCast } from '#dist/samples/cast/draw.js';
import { castMember, traits } from '#dist/samples/cast/member.js';
import { castMotion, castReference, castStill } from '#dist/samples/cast/motion.js';
import { castPerson } from '#dist/samples/cast/person.js';
import { poseOf, poseValues } from '#dist/samples/cast/pose-values.js';
import { castRecord } from '#dist/samples/cast/record.js';

const size = { width: 128, height: 192 };
const seeds = Array.from({ length: 12 }, (_, i) => 1_000_000_000 + i * 7919);

describe('members of the cast', () => {
  it('are the same for the same seed and differ between seeds', () => {
    expect(castMember(7)).toEqual(castMember(7));
    expect(castMember(7)).not.toEqual(castMember(8));
  });

  it('have traits of one length, finite and about -1 to 1', () => {
    const all = seeds.map((seed) => traits(castMember(seed)));
    for (const values of all) {
      expect(values).toHaveLength(all[0]!.length);
      for (const value of values) expect(Math.abs(value)).toBeLessThan(4);
    }
  });
});

describe('movements', () => {
  it('are smooth and repeatable', () => {
    for (const seed of seeds) {
      const [one, again] = [castMotion(seed), castMotion(seed)];
      expect(one(1.25)).toEqual(again(1.25));
      const [a, b] = [poseValues(one(2)), poseValues(one(2.01))];
      a.forEach((value, i) => {
        expect(Math.abs(value - b[i]!)).toBeLessThan(0.15);
      });
    }
  });

  it('can be taken apart and put together', () => {
    const pose = castStill(3);
    expect(poseOf(poseValues(pose))).toEqual(pose);
  });
});

describe('drawCast and castPerson', () => {
  it('gives the same picture for the same arguments, whatever was drawn before', () => {
    const member = castMember(5);
    const first = drawCast(member, castReference(5), size);
    drawCast(castMember(6), castStill(6), size);
    expect(drawCast(member, castReference(5), size)).toEqual(first);
  });

  it('agree: joints lie inside of the drawn figure, noses on heads, middle fingers on hands', () => {
    for (const seed of seeds) {
      const member = castMember(seed);
      const pose = castReference(seed);
      const { parts } = drawCast(member, pose, size);
      const { body, leftHand, rightHand, face } = castPerson(member, pose, size);
      const label = ({ x, y }: { x: number; y: number }) =>
        parts[Math.floor(y * size.height) * size.width + Math.floor(x * size.width)];
      for (const joint of body.slice(0, 16)) expect(label(joint)).not.toBe(0);
      expect(label(body[0]!)).toBe(3);
      for (const hand of [leftHand, rightHand]) {
        expect(hand).toHaveLength(21);
        expect(label(hand![9]!)).toBe(4);
      }
      expect(face).toHaveLength(68);
      // Chin, nose tip, eyes and mouth.
      for (const point of [30, 36, 45, 62]) expect(label(face![point]!)).toBe(3);
      const found = new Set(parts);
      for (const part of [0, 1, 2, 3, 4, 5]) expect(found).toContain(part);
    }
  });

  it('keep the figure between 70 and 90 % of the picture', () => {
    for (const seed of seeds) {
      const { parts } = drawCast(castMember(seed), castReference(seed), size);
      const rows = [...parts.keys()].filter((at) => parts[at] !== 0).map((at) => Math.floor(at / size.width));
      const tall = (rows.reduce((a, b) => Math.max(a, b)) - rows.reduce((a, b) => Math.min(a, b))) / size.height;
      expect(tall).toBeGreaterThan(0.7);
      expect(tall).toBeLessThan(0.93);
    }
  });
});

describe('disturbPerson', () => {
  it('keeps what a clip lacks missing in every frame, and moves joints a little', () => {
    const member = castMember(9);
    const clip = disturbanceOf(chanceOf(2, 'test'));
    const chance = chanceOf(3, 'test');
    const person = castPerson(member, castReference(9), size);
    for (let frame = 0; frame < 5; frame++) {
      const found = disturbPerson(person, chance, clip);
      expect(found.leftHand === null).toBe(!clip.leftHand);
      found.body.forEach(({ x, y, score }, joint) => {
        expect(score === 0).toBe(clip.missing.has(joint));
        expect(Math.hypot(x - person.body[joint]!.x, y - person.body[joint]!.y)).toBeLessThan(0.12);
      });
    }
  });
});

describe('castRecord', () => {
  it('holds a reference and its frames with control pictures', () => {
    const { frames } = castRecord('clips', 4);
    expect(frames).toHaveLength(17);
    for (const { image, pose, parts, joints } of frames) {
      expect(image.data).toHaveLength(128 * 192 * 3);
      expect(pose.data).toHaveLength(128 * 192 * 3);
      expect(parts).toHaveLength(128 * 192);
      expect(joints).toHaveLength(18);
    }
  });
});
