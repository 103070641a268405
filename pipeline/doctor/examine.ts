import { PantomimeError } from '../../models/errors.js';
import { deviceFindings } from './devices.js';
import type { Check, Finding } from './finding.js';
import { machineFindings } from './machine.js';
import { modelFindings } from './models.js';
import { poseFindings } from './poses.js';
import { videoFindings } from './video.js';

const checks: readonly Check[] = [
  { name: 'machine', run: machineFindings },
  { name: 'ffmpeg', run: (signal) => videoFindings(signal) },
  { name: 'pose networks', run: poseFindings },
  { name: 'models', run: () => modelFindings() },
  { name: 'devices', run: deviceFindings },
];

export type Examination = {
  readonly findings: readonly Finding[];
  /** What a run on the CPU would fail with; undefined when it works. */
  readonly failure: PantomimeError | undefined;
};

/**
 * Looks at everything that pantomime needs or could use. No network.
 * @param onWait told after `slowMs`, and then as often, what is still being looked at.
 */
export async function examine(
  signal: AbortSignal | undefined,
  onWait: (names: readonly string[]) => void,
  slowMs = 2_000,
): Promise<Examination> {
  const waiting = new Set(checks.map(({ name }) => name));
  const timer = setInterval(() => onWait([...waiting]), slowMs);
  try {
    const found = await Promise.all(
      checks.map(async ({ name, run }) => {
        const findings = await run(signal);
        waiting.delete(name);
        return findings;
      }),
    );
    const findings = found.flat();
    return { findings, failure: failureOf(findings) };
  } finally {
    clearInterval(timer);
  }
}

/** The first thing that every run needs and that is not right. */
export function failureOf(findings: readonly Finding[]): PantomimeError | undefined {
  const broken = findings.filter(({ needed, state }) => needed && (state === 'missing' || state === 'failed'));
  const [first] = broken;
  if (!first?.needed) return undefined;
  return new PantomimeError({
    code: 'doctor.cpu',
    kind: first.needed,
    what: `pantomime cannot run here: ${broken.map(({ name, state }) => `${name} ${state}`).join(', ')}`,
    got: first.found,
    hint: first.fix,
  });
}
