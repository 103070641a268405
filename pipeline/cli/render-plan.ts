import type { ContextWindow } from '../../stages/denoise/windows.js';
import { type ControlFacts, describeControls } from '../controls.js';
import type { PlannedLora } from '../loras.js';
import type { Plan } from '../plan.js';
import { poseBackendText } from '../pose-backend.js';
import { formatBytes } from '../progress/report-text.js';

/** The plan for people: what goes in, what comes out, the windows as a drawing, what it costs. */
export function renderPlan(plan: Plan): string {
  const { options, size, picture, movement, schedule, cost, tools, provider, devices } = plan;
  const rate = movement.frameRate.num / movement.frameRate.den;
  const made = plan.frames - (options.keepReferenceFrame ? 0 : 1);
  const rows: [string, string][] = [
    ['picture', `${options.image} (${picture.width}x${picture.height})`],
    ['movement', `${movement.path} (${movementText(plan)})`],
    ['poses', poseBackendText(plan.poseBackend, options)],
    ['model', `${plan.model.dir}${plan.model.overlay ? ' + overlay' : ''}`],
    ...plan.loras.map((lora): [string, string] => ['lora', loraText(lora)]),
    ...describeControls(plan).map((control): [string, string] => [
      'control',
      controlText(control, schedule.timesteps.length),
    ]),
    [
      'video',
      `${size.width}x${size.height}, ${plan.exact ? '' : 'about '}${made} frames at ${rate.toFixed(3)} fps -> ${plan.video}`,
    ],
    [
      'sampling',
      `${schedule.timesteps.length} steps (${options.scheduler}), guidance ${guidanceText(plan)}, seed ${plan.seed}`,
    ],
    [
      'windows',
      `${plan.windows.length} of ${plan.windows[0]?.frames.length} frames, overlap ${options.overlap}, ${options.fusion}`,
    ],
    [
      'cost',
      `${cost.forwards} runs of the denoiser, ${cost.factor.toFixed(2)} frames computed for each frame made, ${operations(cost.multiplyAdds)}`,
    ],
    ['memory', memoryText(plan)],
    ['disk', `about ${formatBytes(cost.diskBytes)} while running`],
    ['device', devices.length > 1 ? `${provider} ${devices.join(', ')}, which take the windows in turns` : provider],
    ['ffmpeg', `${tools.version} (${tools.origin})`],
  ];
  const notes = plan.notes.map((note) => `note: ${note}`);
  return [
    ...rows.map(([name, text]) => `${name.padEnd(9)} ${text}`),
    '',
    ...drawWindows(plan.windows, plan.frames),
    ...notes,
  ].join('\n');
}

function loraText({ file, scale, layers, ranks: [least, most] }: PlannedLora): string {
  return `${file} at ${scale} (${layers} layers, rank ${least === most ? least : `${least} to ${most}`})`;
}

function guidanceText({ options, guidedAt }: Plan): string {
  const { guidanceScale, guidanceScaleMin } = options;
  const first = guidedAt.indexOf(true);
  if (first < 0) return 'off';
  const scale = guidanceScaleMin === guidanceScale ? `${guidanceScale}` : `${guidanceScaleMin} to ${guidanceScale}`;
  return guidedAt.includes(false) ? `${scale} in steps ${first + 1} to ${guidedAt.lastIndexOf(true) + 1}` : scale;
}

function controlText(
  { name, file, pictures, scale, steps: { count, first, last } }: ControlFacts,
  steps: number,
): string {
  const when = count === steps ? '' : count === 0 ? ', in no step' : `, steps ${first + 1} to ${last + 1} of ${steps}`;
  return `${name} at ${scale}${when}${pictures ? `, sees ${pictures}` : ''} (${file})`;
}

function memoryText({ cost, memory, budget }: Plan): string {
  const { residency, splitGuidance, attentionParts, feedForwardParts, windowsTogether, decodeChunk, decodeTile } =
    memory;
  const how = [
    `weights ${formatBytes(cost.weightBytes)} on disk, ${residency}`,
    ...(splitGuidance ? ['split guidance'] : []),
    ...(attentionParts > 1 ? [`attention in ${attentionParts} parts`] : []),
    ...(feedForwardParts > 1 ? [`feed-forward in ${feedForwardParts} parts`] : []),
    ...(windowsTogether > 1 ? [`${windowsTogether} windows in a call`] : []),
    `${decodeChunk} frames decoded at once${decodeTile ? ` in tiles of ${decodeTile}x${decodeTile}` : ''}`,
  ];
  const pages =
    cost.filePageBytes > 0 ? `, and ${formatBytes(cost.filePageBytes)} of weights read where there is room` : '';
  const allowed = budget ? `, of ${formatBytes(budget.bytes)} ${budget.from === 'option' ? 'allowed' : 'free'}` : '';
  return `about ${formatBytes(cost.memoryBytes)} in the engine${allowed}${pages} (${how.join(', ')})`;
}

function movementText({ movement }: Plan): string {
  if (movement.kind === 'pose') return `${movement.poses.frames.length} poses`;
  if (movement.kind === 'control-folder') return `${movement.frameCount} control pictures`;
  const { video, durationSec } = movement.info;
  const seconds = durationSec === undefined ? '' : `, ${durationSec.toFixed(2)} s`;
  return `${video.width}x${video.height}, ${video.codec}${seconds}${movement.info.audio ? ', with sound' : ''}`;
}

/** A multiply-add is two floating-point operations. */
function operations(multiplyAdds: number): string {
  const operations = 2 * multiplyAdds;
  return operations < 1e12 ? `${(operations / 1e9).toFixed(0)} GFLOP` : `${(operations / 1e12).toFixed(1)} TFLOP`;
}

/** Widest drawing, in characters; longer clips are drawn to scale. */
const maxColumns = 72;
const maxRows = 24;

/**
 * One line a window over the frames of the clip: `#` counts fully, `+` partly, `.` is context whose result is not used.
 */
export function drawWindows(windows: readonly ContextWindow[], frames: number): string[] {
  const columns = Math.min(frames, maxColumns);
  const column = (frame: number) => Math.floor((frame * columns) / frames);
  const lines = windows.slice(0, maxRows).map((window) => {
    const cells = Array<string>(columns).fill(' ');
    window.frames.forEach((frame, slot) => {
      const weight = window.weights[slot] as number;
      cells[column(frame)] = weight === 0 ? '.' : weight < 1 ? '+' : '#';
    });
    return `  |${cells.join('')}|`;
  });
  const hidden = windows.length - lines.length;
  const ruler = `  0${' '.repeat(Math.max(0, columns - String(frames - 1).length))}${frames - 1}`;
  return [...lines, ...(hidden > 0 ? [`   ... and ${hidden} more`] : []), ruler];
}
