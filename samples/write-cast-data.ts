/**
 * Writes the pictures that the embedded model learns from, or a sheet to look at:
 *
 *     node dist/samples/write-cast-data.js --out DIR --first 0 --records 1000 --kind stills|clips [--shard 100]
 *         [--skeletons solid|published]
 *     node dist/samples/write-cast-data.js --sheet FILE.png [--first 0] [--records 8] [--kind stills|clips]
 *
 * Shards that are complete are skipped, so an interrupted run goes on. `--workers N` shares the shards among N processes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { skeletonStyles } from '../stages/pose/draw.js';
import { isRecordKind, knownStyle } from './cast/record.js';
import { writeShard } from './cast/shard.js';
import { writeSheet } from './cast/sheet.js';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    sheet: { type: 'string' },
    kind: { type: 'string', default: 'stills' },
    first: { type: 'string', default: '0' },
    records: { type: 'string', default: '8' },
    shard: { type: 'string', default: '100' },
    skeletons: { type: 'string', default: knownStyle },
    workers: { type: 'string', default: '1' },
    /** Of several processes, which one this is. */
    worker: { type: 'string', default: '0' },
    single: { type: 'boolean', default: false },
  },
});

const whole = (name: 'first' | 'records' | 'shard' | 'workers' | 'worker'): number => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 0)
    throw new RangeError(`--${name} takes a whole number, got ${values[name]}`);
  return value;
};
const [first, records, size, workers] = [whole('first'), whole('records'), whole('shard'), whole('workers')];
const { kind } = values;
const style = skeletonStyles.find((name) => name === values.skeletons);
if (!isRecordKind(kind)) throw new RangeError(`--kind is stills or clips, got ${kind}`);

if (!style) throw new RangeError(`--skeletons is ${skeletonStyles.join(' or ')}, got ${values.skeletons}`);

if (values.sheet !== undefined) await writeSheet(values.sheet, kind, first, records);
else if (values.out === undefined) throw new RangeError('--out DIR or --sheet FILE.png is needed');
else if (workers > 1 && !values.single) {
  const script = fileURLToPath(import.meta.url);
  const processes = Array.from({ length: workers }, (_, worker) =>
    spawn(process.execPath, [script, ...process.argv.slice(2), '--single', '--worker', `${worker}`], {
      stdio: 'inherit',
    }),
  );
  const codes = await Promise.all(processes.map(async (child) => (await once(child, 'close'))[0]));
  if (codes.some((code) => code !== 0)) process.exitCode = 1;
} else {
  if (first % size !== 0) throw new RangeError('--first must be a multiple of --shard');
  for (let at = first; at < first + records; at += size) {
    if (workers > 1 && (at / size) % workers !== whole('worker')) continue;
    const said = await writeShard(values.out, kind, at, Math.min(size, first + records - at), size, style);
    process.stderr.write(`${said}\n`);
  }
}
