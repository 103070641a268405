import { splitScale } from './lora-value.js';

/** A ControlNeXt module as an option names it. */
export type ControlChoice = {
  readonly name: string;
  /** Its weights; `auto` is the module that --controlnext names. */
  readonly file: string;
  readonly scale: number;
  /** Part of the denoising steps in which it works, 0 to 1. */
  readonly start: number;
  readonly end: number;
};

/** What the pose module of a model is called. */
export const poseName = 'pose';
/** Stands for the model's own pose module. */
export const ownModule = 'auto';

/** The largest strength, as that of --control-scale. */
const maxScale = 10;
const namePattern = /^[a-z][a-z0-9-]{0,31}$/;

/** `NAME=FILE[:SCALE][@START-END]`; undefined when it is none. */
export function parseControl(value: string): ControlChoice | undefined {
  const { name, file, scale, start, end } = split(value);
  const fits =
    namePattern.test(name) &&
    file !== '' &&
    (file !== ownModule || name === poseName) &&
    scale >= 0 &&
    scale <= maxScale &&
    start < end &&
    end <= 1;
  return fits ? { name, file, scale, start, end } : undefined;
}

/** The value with its path changed. */
export function mapControlPath(value: string, change: (path: string) => string): string {
  const { name, file, tail } = split(value);
  return file === ownModule ? value : `${name}=${change(file)}${tail}`;
}

/** Whether a module looks at the drawn skeletons. */
export function seesPoses(name: string): boolean {
  return name === poseName || name.startsWith(`${poseName}-`);
}

function split(value: string) {
  const at = value.indexOf('=');
  const name = value.slice(0, Math.max(0, at));
  const right = value.slice(at + 1);
  const [range = '', start = '0', end = '1'] = /@(\d*\.?\d+)-(\d*\.?\d+)$/.exec(right) ?? [];
  const { rest, tail, scale } = splitScale(right.slice(0, right.length - range.length));
  return { name, file: rest, tail: `${tail}${range}`, scale, start: Number(start), end: Number(end) };
}
