import { standing } from '../dancer/motion.js';
import type { ArmPose, BodyPose } from '../dancer/skeleton.js';
import { type Chance, chanceOf } from './chance.js';
import { armNames, armPoses, type Move, mixArms, moveNames, moves } from './moves.js';
import { mixPoses, outOfTrunk, turnBody } from './pose-values.js';

/** A smooth random curve about 0 with standard deviation near 1, slower than `rate` turns a second. */
function drift(chance: Chance, rate: number): (seconds: number) => number {
  const waves = Array.from({ length: 3 }, () => ({
    turns: rate * chance.between(0.25, 1),
    phase: chance.next(),
    size: chance.between(0.5, 1),
  }));
  return (seconds) => waves.reduce((sum, w) => sum + w.size * Math.sin(2 * Math.PI * (w.turns * seconds + w.phase)), 0);
}

/** How far the body is turned: mostly within 35 degrees, sometimes to 70. */
function randomYaw(chance: Chance): number {
  if (chance.happens(0.12)) return (chance.happens(0.5) ? 1 : -1) * chance.between(0.6, 1.22);
  return Math.max(-0.6, Math.min(0.6, 0.26 * chance.normal()));
}

/** A movement of a seed: the pose at any time in seconds. Smooth; the same seed moves the same way. */
export function castMotion(seed: number): (seconds: number) => BodyPose {
  const chance = chanceOf(seed, 'motion');
  const pick = (): Move => moves[chance.pick(moveNames)](chance);
  const [first, second] = [pick(), pick()];
  const rounds = chance.between(0.3, 0.8);
  const [start, startSecond] = [chance.next(), chance.next()];
  const blend = drift(chance, 0.35);
  const mostly = chance.pick([-2.5, -1, 0, 1, 2.5]);
  const yaw = randomYaw(chance);
  const turning = chance.happens(0.2) ? chance.between(-0.5, 0.5) : 0;
  const loose = chance.between(0.03, 0.16);
  const wobbles = Array.from({ length: 32 }, () => drift(chance, 0.7));
  const smile = chance.between(0, 0.85);
  const blinkEvery = chance.between(1.2, 4);
  const blinkAt = chance.next() * blinkEvery;
  return (seconds) => {
    const weight = 1 / (1 + Math.exp(-3 * (blend(seconds) * 0.6 + mostly)));
    const mixed = mixPoses(first(start + rounds * seconds), second(startSecond + rounds * seconds), weight);
    const w = (i: number): number => loose * (wobbles[i] as (t: number) => number)(seconds);
    const sinceBlink = (((seconds - blinkAt) % blinkEvery) + blinkEvery) % blinkEvery;
    const wobbled: BodyPose = {
      ...mixed,
      pelvis: {
        ...mixed.pelvis,
        x: mixed.pelvis.x + 0.1 * w(0),
        yaw: mixed.pelvis.yaw + 0.4 * w(1),
        roll: mixed.pelvis.roll + 0.15 * w(2),
      },
      chest: {
        yaw: mixed.chest.yaw + 0.6 * w(3),
        pitch: mixed.chest.pitch + 0.3 * w(4),
        roll: mixed.chest.roll + 0.4 * w(5),
      },
      head: {
        yaw: mixed.head.yaw + 1.8 * w(6) - yaw * 0.4,
        pitch: mixed.head.pitch + 0.7 * w(7),
        roll: mixed.head.roll + 0.7 * w(8),
      },
      leftArm: wobbledArm(mixed.leftArm, (i) => w(9 + i)),
      rightArm: wobbledArm(mixed.rightArm, (i) => w(18 + i)),
      gaze: [Math.tanh(w(27) * 8) * 0.8, Math.tanh(w(28) * 5) * 0.4],
      blink: Math.max(0, 1 - Math.abs(sinceBlink - 0.1) / 0.1),
      smile: clamp(mixed.smile * 0.4 + smile * 0.6 + w(29), 0, 1),
      swing: [0.02 * w(30) * 10, 0, 0],
    };
    return inPlace(turnBody(wobbled, yaw + turning * Math.sin(seconds)));
  };
}

function wobbledArm(arm: ArmPose, w: (i: number) => number): ArmPose {
  const { upper: u, fore: f } = arm;
  return {
    ...arm,
    upper: [u[0] + w(0), u[1] + w(1), u[2] + w(2)],
    fore: [f[0] + 1.6 * w(3), f[1] + 1.6 * w(4), f[2] + 1.6 * w(5)],
    curl: clamp(arm.curl + 1.5 * w(6), 0, 1),
    spread: clamp(arm.spread + 0.4 * w(7), 0, 0.22),
  };
}

/** One pose by itself: a moment of a movement, or joints bent at random, of a wide variety. */
export function castStill(seed: number): BodyPose {
  const chance = chanceOf(seed, 'still');
  if (chance.happens(0.45)) return castMotion(seed)(chance.between(0, 20));
  const arms = (): ArmPose => {
    const mixed = mixArms(
      armPoses[chance.pick(armNames)],
      armPoses[chance.pick(armNames)],
      chance.happens(0.5) ? 0 : chance.next(),
    );
    const jitter = chance.between(0.03, 0.25);
    const shaken = wobbledArm(mixed, () => jitter * chance.normal());
    return chance.happens(0.25) ? { ...shaken, curl: chance.next(), spread: chance.between(0, 0.2) } : shaken;
  };
  const left = arms();
  const right = chance.happens(0.25) ? left : arms();
  const wide = chance.between(0.06, chance.happens(0.35) ? 0.34 : 0.2);
  const low = chance.happens(0.3) ? chance.between(0.05, 0.3) : chance.between(0.01, 0.06);
  const lifted = chance.happens(0.3) ? chance.between(0.03, 0.35) : 0;
  const leftLifted = chance.happens(0.5);
  const shift = lifted > 0 ? (leftLifted ? -0.07 : 0.07) : chance.normal() * 0.3 * wide;
  const lean = chance.happens(0.35) ? 0.22 : 0.08;
  const body: BodyPose = {
    ...standing,
    pelvis: {
      x: shift,
      z: -0.3 * low,
      dip: low + wide * wide * 0.6,
      yaw: 0.12 * chance.normal(),
      pitch: 0.05 * chance.normal() + 0.5 * low,
      roll: 0.06 * chance.normal(),
    },
    chest: {
      yaw: 0.18 * chance.normal(),
      pitch: lean * chance.normal() * 0.7 + 0.4 * low,
      roll: lean * chance.normal(),
    },
    head: { yaw: 0.28 * chance.normal(), pitch: 0.12 * chance.normal(), roll: 0.11 * chance.normal() },
    leftArm: left,
    rightArm: right,
    leftFoot: {
      x: wide + (leftLifted ? lifted * chance.between(-0.1, 0.8) : 0),
      z: 0.06 * chance.normal() + (leftLifted ? lifted * chance.between(-0.4, 0.8) : 0),
      lift: leftLifted ? lifted : 0,
      turn: 0.25 + 0.15 * chance.normal(),
      heel: leftLifted ? lifted * 1.5 : chance.happens(0.2) ? chance.between(0, 0.6) : 0,
    },
    rightFoot: {
      x: -wide - (leftLifted ? 0 : lifted * chance.between(-0.1, 0.8)),
      z: 0.06 * chance.normal() + (leftLifted ? 0 : lifted * chance.between(-0.4, 0.8)),
      lift: leftLifted ? 0 : lifted,
      turn: 0.25 + 0.15 * chance.normal(),
      heel: leftLifted ? (chance.happens(0.2) ? chance.between(0, 0.6) : 0) : lifted * 1.5,
    },
    gaze: [chance.between(-0.7, 0.7), chance.between(-0.3, 0.3)],
    blink: chance.happens(0.08) ? chance.next() : 0,
    smile: chance.next(),
    swing: [0.02 * chance.normal(), 0, 0],
  };
  return inPlace(turnBody(body, randomYaw(chance)));
}

/** Standing at ease and looking at the camera, arms hanging or a little apart. */
export function castReference(seed: number): BodyPose {
  const chance = chanceOf(seed, 'reference');
  const apart = chance.next();
  const arms = (): ArmPose => {
    const mixed = mixArms(armPoses.hang, armPoses.apart, Math.max(0, Math.min(1.1, apart + 0.1 * chance.normal())));
    return wobbledArm(mixed, () => 0.03 * chance.normal());
  };
  const wide = chance.between(0.085, 0.15);
  const body: BodyPose = {
    ...standing,
    pelvis: {
      ...standing.pelvis,
      dip: chance.between(0.002, 0.008),
      x: 0.01 * chance.normal(),
      roll: 0.015 * chance.normal(),
    },
    chest: { yaw: 0.03 * chance.normal(), pitch: 0.01, roll: 0.02 * chance.normal() },
    head: { yaw: 0.06 * chance.normal(), pitch: 0.03 * chance.normal(), roll: 0.03 * chance.normal() },
    leftArm: arms(),
    rightArm: arms(),
    leftFoot: { ...standing.leftFoot, x: wide, turn: chance.between(0.1, 0.4) },
    rightFoot: { ...standing.rightFoot, x: -wide, turn: chance.between(0.1, 0.4) },
    gaze: [0.15 * chance.normal(), 0.1 * chance.normal()],
    smile: chance.between(0.15, 0.9),
  };
  return inPlace(turnBody(body, 0.08 * chance.normal()));
}

/** Arms before the trunk, eyes and mouth within their ranges. */
function inPlace(pose: BodyPose): BodyPose {
  return {
    ...pose,
    leftArm: outOfTrunk(pose.leftArm),
    rightArm: outOfTrunk(pose.rightArm),
    blink: clamp(pose.blink, 0, 1),
    smile: clamp(pose.smile, 0, 1),
  };
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
