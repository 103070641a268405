import { describeControls } from '../controls.js';
import type { Plan } from '../plan.js';

/** The plan for programs, as one line of JSON: what was decided, without the opened model and clip. */
export function planJson(plan: Plan): string {
  const {
    options,
    runDir,
    video,
    picture,
    size,
    frames,
    exact,
    schedule,
    windows,
    guidedAt,
    provider,
    residency,
    precision,
  } = plan;
  const { movement, poseBackend, model, card, tools, cost, notes, memory, budget } = plan;
  return JSON.stringify({
    v: 1,
    type: 'plan',
    runDir,
    video,
    picture,
    movement: { kind: movement.kind, path: movement.path, frameRate: movement.frameRate },
    poseBackend,
    model: {
      dir: model.dir,
      overlay: Boolean(model.overlay),
      controlnext: Boolean(model.controlnext),
      loras: plan.loras,
      domain: card?.domain,
    },
    controls: describeControls(plan),
    ffmpeg: { version: tools.version, origin: tools.origin },
    size,
    frames,
    exact,
    steps: schedule.timesteps.length,
    windows,
    guided: guidedAt.includes(true),
    guidedAt,
    provider,
    residency,
    precision,
    memory,
    budget,
    cost,
    notes,
    options,
  });
}
