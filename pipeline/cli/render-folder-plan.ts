import type { ClipPreview, FolderPreview } from '../batch/preview.js';
import { formatSeconds, printable } from '../progress/report-text.js';

/** Most lines of each kind. */
const maxLines = 200;

/** What a batch would do, for people: each clip with its cost, what is done, what is left out and why, the time in all. */
export function renderFolderPlan({ plan, clips, speed }: FolderPreview): string {
  const width = Math.min(48, Math.max(4, ...clips.map(({ job }) => job.name.length)));
  const total = clips.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const failing = clips.filter(({ error }) => error).length;
  const lines = [
    `batch folder ${plan.dir}`,
    ...limited(clips, (clip) => clipLine(clip, width)),
    ...limited(plan.earlier, ({ name }) => `  ${name.padEnd(width)}  done earlier`),
    ...limited(plan.skipped, ({ name, why }) => `  ${name.padEnd(width)}  skipped: ${why}`),
    '',
    `${clips.length} to do${failing > 0 ? `, ${failing} of them would fail` : ''}, ${plan.earlier.length} done earlier, ${plan.skipped.length} skipped`,
  ];
  if (speed && clips.length > failing) {
    const basis =
      speed.basis === 'clips of this batch' ? 'by the clips done so far' : 'a rough guess: nothing was done here yet';
    lines.push(`about ${formatSeconds(total)} in all (${basis})`);
  } else if (clips.length > failing) lines.push('no estimate: nothing was done here on this device yet');
  return printable(lines.join('\n'));
}

/** The same for programs, as one line of JSON. */
export function folderPlanJson({ plan, clips, speed }: FolderPreview): string {
  const { dir, earlier, skipped } = plan;
  return JSON.stringify({
    v: 1,
    type: 'batch.plan',
    dir,
    clips: clips.map(({ job, plan: clip, seconds, error }) => {
      const { name, movement, runDir, options } = job;
      const planned = clip && { size: clip.size, frames: clip.frames, exact: clip.exact, cost: clip.cost };
      return { name, runDir, video: movement, image: options.image, ...planned, seconds, error };
    }),
    earlier: earlier.map(({ name }) => name),
    skipped,
    speed,
  });
}

function clipLine({ job, plan, seconds, error }: ClipPreview, width: number): string {
  const name = job.name.padEnd(width);
  if (!plan) return `  ${name}  would fail: ${error?.what}${error?.hint ? ` (hint: ${error.hint})` : ''}`;
  const frames = plan.frames - (plan.options.keepReferenceFrame ? 0 : 1);
  const time = seconds === undefined ? '' : `, about ${formatSeconds(seconds)}`;
  const { width: w, height: h } = plan.size;
  return `  ${name}  ${w}x${h}, ${frames} frames in ${plan.windows.length} windows${time}`;
}

function limited<T>(items: readonly T[], line: (item: T) => string): string[] {
  const shown = items.slice(0, maxLines).map(line);
  return items.length > maxLines ? [...shown, `  and ${items.length - maxLines} more`] : shown;
}
