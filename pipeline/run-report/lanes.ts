import type { TimelineRecord } from '../timeline/timeline.js';
import type { RunTimings } from './recorded-run.js';

/** Kinds of work that have a colour of their own. */
export type Paint = 'models' | 'read' | 'pose' | 'draw' | 'picture' | 'features' | 'denoise' | 'decode' | 'encode';

export type DrawnSpan = {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Less than its length where work and pauses were drawn together. */
  readonly busyMs: number;
  readonly count: number;
  readonly paint: Paint;
};

/** A row of the drawing: its name, and who worked beside each other in it. */
export type DrawnRow = { readonly title: string; readonly lanes: readonly (readonly DrawnSpan[])[] };

const stagePaints: Readonly<Record<string, Paint>> = {
  ...{ pose: 'pose', reference: 'pose', align: 'pose', control: 'draw', domain: 'picture' },
  ...{ 'encode-reference': 'picture', features: 'features', denoise: 'denoise', decode: 'decode', encode: 'encode' },
};

const graphPaints: Readonly<Record<string, Paint>> = {
  ...{ 'vae-encode': 'picture', 'image-encoder': 'picture', controlnext: 'features' },
  ...{ 'unet-step': 'denoise', 'vae-decode': 'decode' },
};

const decoderGraph = 'vae-decode';

/** The rows of the time line that have anything in them. */
export function drawnRows({ stages, timeline = {} }: RunTimings): DrawnRow[] {
  const engine = lanesOf(timeline.engine, engineGraphPaint);
  const rows: DrawnRow[] = [
    { title: 'Stages', lanes: stageLanes(stages) },
    { title: 'Video decoding', lanes: lanesOf(timeline.read, () => 'read') },
    { title: 'Poses', lanes: lanesOf(timeline.pose, () => 'pose') },
    { title: 'Drawing', lanes: lanesOf(timeline.draw, () => 'draw') },
    { title: 'Engine', lanes: engine },
    { title: 'VAE decoding', lanes: engine.map((lane) => lane.filter(({ name }) => name === decoderGraph)) },
    { title: 'Video encoding', lanes: lanesOf(timeline.encode, () => 'encode') },
  ];
  return rows
    .map(({ title, lanes }) => ({ title, lanes: lanes.filter((lane) => lane.length > 0) }))
    .filter(({ lanes }) => lanes.length > 0);
}

export function engineGraphPaint(name: string): Paint {
  if (name.startsWith('load ') || name.startsWith('release ')) return 'models';
  // What else runs in the engine are the networks of DWPose.
  return graphPaints[name] ?? 'pose';
}

function lanesOf(record: TimelineRecord['engine'] = [], paint: (name: string) => Paint): DrawnSpan[][] {
  return record.map(({ spans }) =>
    spans.map(([name, startMs, endMs, busyMs, count]) => ({ name, startMs, endMs, busyMs, count, paint: paint(name) })),
  );
}

/** Stages may overlap: each goes into the first lane that is free. */
function stageLanes(stages: RunTimings['stages']): DrawnSpan[][] {
  const lanes: DrawnSpan[][] = [];
  const known = stages.flatMap(({ stage, startMs, ms, reused }) =>
    startMs === undefined
      ? []
      : [{ name: `${stage}${reused ? ' (reused)' : ''}`, startMs, ms, paint: stagePaints[stage] ?? 'models' }],
  );
  for (const { ms, ...stage } of known.sort((a, b) => a.startMs - b.startMs)) {
    const span: DrawnSpan = { ...stage, endMs: stage.startMs + ms, busyMs: ms, count: 1 };
    const free = lanes.find((lane) => (lane.at(-1)?.endMs ?? 0) <= span.startMs);
    if (free) free.push(span);
    else lanes.push([span]);
  }
  return lanes;
}
