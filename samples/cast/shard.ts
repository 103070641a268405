import { access, mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SkeletonStyle } from '../../stages/pose/draw.js';
import { traits } from './member.js';
import { castRecord, picture, type RecordKind, recordKinds } from './record.js';

/**
 * Writes records `first` to `first + count` as one shard: `.rgb` and `.pose` (bytes [frames, height, width, 3]), `.part`
 * (bytes [frames, height, width]) and, last and by renaming, `.json`. A shard whose `.json` exists is left alone.
 */
export async function writeShard(
  folder: string,
  kind: RecordKind,
  first: number,
  count: number,
  size: number,
  style: SkeletonStyle,
): Promise<string> {
  const name = `${kind}-${String(Math.floor(first / size)).padStart(5, '0')}`;
  const base = join(folder, name);
  await mkdir(folder, { recursive: true });
  if (await exists(`${base}.json`)) return `${name} is there`;
  const started = performance.now();
  const [rgb, pose, part] = await Promise.all(['rgb', 'pose', 'part'].map((end) => open(`${base}.${end}`, 'w')));
  const records: unknown[] = [];
  try {
    for (let index = first; index < first + count; index++) {
      const { seed, member, frames } = castRecord(kind, index, style);
      for (const frame of frames) {
        await rgb?.writeFile(frame.image.data);
        await pose?.writeFile(frame.pose.data);
        await part?.writeFile(frame.parts);
      }
      records.push({
        seed,
        traits: traits(member).map(short),
        joints: frames.map(({ joints }) => joints.map((at) => at.map(short))),
      });
    }
  } finally {
    await Promise.all([rgb, pose, part].map((file) => file?.close()));
  }
  const { width, height } = picture;
  const { frames: framesPerRecord } = recordKinds[kind];
  await writeFile(`${base}.json.partial`, JSON.stringify({ width, height, framesPerRecord, records }));
  await rename(`${base}.json.partial`, `${base}.json`);
  return `${name}: ${count} records in ${((performance.now() - started) / 1000).toFixed(1)} s`;
}

const short = (value: number): number => Math.round(value * 1e5) / 1e5;

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
