import type { Checkpoint } from '../models/checkpoint/checkpoint.js';
import { openCheckpoint } from '../models/checkpoint/open-checkpoint.js';
import { isTimeless } from '../models/controlnext/timeless.js';
import { PantomimeError } from '../models/errors.js';
import { type ControlChoice, ownModule, parseControl, poseName } from './options/control-value.js';
import type { AnimateOptions } from './options/schema.js';
import type { Plan } from './plan.js';

/** Part of the denoising steps, 0 to 1. */
export type StepRange = { readonly start: number; readonly end: number };

/** A ControlNeXt module of a run: what it is called, how strong it is, and when it works. */
export type PlannedControl = StepRange & {
  readonly name: string;
  readonly network: Checkpoint;
  readonly scale: number;
  /** It does not look at the noise level: its features are computed once for all steps. */
  readonly once: boolean;
};

/**
 * The modules of a run: that of the model for the pose, unless a `--control pose=...` takes its place, then the others. One
 * of scale 0 is left out, as if it had not been given. Throws PantomimeError `model.no-control`, and those of `openCheckpoint`.
 */
export async function planControls(
  { control, controlScale }: Pick<AnimateOptions, 'control' | 'controlScale'>,
  own: Checkpoint | undefined,
): Promise<readonly PlannedControl[]> {
  const given = control.flatMap((value) => parseControl(value) ?? []);
  const pose: ControlChoice = { name: poseName, file: ownModule, scale: controlScale, start: 0, end: 1 };
  const chosen = own && !given.some(({ name }) => name === poseName) ? [pose, ...given] : given;
  const opened = chosen.map(async ({ name, file, scale, start, end }): Promise<PlannedControl> => {
    const network = file === ownModule ? requireOwn(own) : await openCheckpoint(file);
    return { name, network, scale, start, end, once: await isTimeless(network) };
  });
  return (await Promise.all(opened)).filter(({ scale }) => scale !== 0);
}

function requireOwn(own: Checkpoint | undefined): Checkpoint {
  if (own) return own;
  throw new PantomimeError({
    code: 'model.no-control',
    kind: 'model',
    what: 'there is no pose control network of the model to be used',
    where: `--control ${poseName}=${ownModule}`,
    hint: `--control ${poseName}=FILE`,
  });
}

/** Whether a module works in a step, counted from 0: where the whole of the step lies in its part. */
export function worksAt({ start, end }: StepRange, step: number, steps: number): boolean {
  return step / steps >= start && (step + 1) / steps <= end;
}

/** Steps that do the same: which modules work in them, whether they are guided, and how many they are. */
export type StepGroup<Control> = {
  readonly working: readonly Control[];
  readonly guided: boolean;
  readonly count: number;
};

/** @param guidedAt of each step, whether both branches of guidance run */
export function groupSteps<Control extends StepRange>(
  controls: readonly Control[],
  guidedAt: readonly boolean[],
): readonly StepGroup<Control>[] {
  const groups = new Map<string, StepGroup<Control>>();
  for (const [step, guided] of guidedAt.entries()) {
    const at = controls.map((control) => worksAt(control, step, guidedAt.length));
    const key = [...at, guided].join();
    const count = (groups.get(key)?.count ?? 0) + 1;
    groups.set(key, { working: controls.filter((_, i) => at[i]), guided, count });
  }
  return [...groups.values()];
}

/** A control as plans and run.json tell of it. */
export type ControlFacts = StepRange & {
  readonly name: string;
  readonly scale: number;
  /** Real path of its weights. */
  readonly file: string;
  /** What it looks at; undefined for the drawn skeletons. */
  readonly pictures: string | undefined;
  /** In which it works, counted from 0; -1 where it does in none. */
  readonly steps: { readonly count: number; readonly first: number; readonly last: number };
};

export function describeControls({ controls, pictures, schedule }: Pick<Plan, 'controls' | 'pictures' | 'schedule'>) {
  return controls.map(({ name, network, scale, start, end }): ControlFacts => {
    const count = schedule.timesteps.length;
    const working = Array.from({ length: count }, (_, step) => step).filter((step) =>
      worksAt({ start, end }, step, count),
    );
    return {
      ...{ name, scale, start, end, file: network.sources.join(', ') },
      pictures: pictures.find((one) => one.name === name)?.source.path,
      steps: { count: working.length, first: working[0] ?? -1, last: working.at(-1) ?? -1 },
    };
  });
}
