import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';

const runCommand = new URL('../../dist/pipeline/cli/run-command.js', import.meta.url).href;

/** A command that waits, as a long stage does; `stubborn` ones do not listen to the abort signal. */
function program(stubborn: boolean): string {
  return `
    import { runCommand } from ${JSON.stringify(runCommand)};
    const wait = (signal) => new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, 60_000);
      if (!${stubborn}) signal.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason); });
      process.stderr.write('ready\\n');
    });
    process.exitCode = await runCommand(
      { flags: { video: 'x.mp4' }, controls: { json: true } },
      { purpose: 'pose', run: async (_options, { signal }) => { await wait(signal); return { text: '' }; } },
    );`;
}

/** Starts the program, sends `signals` one after another as soon as the one before has been noticed, and gives its end. */
function interrupted(stubborn: boolean, ...signals: NodeJS.Signals[]) {
  return new Promise<{ code: number | null; stdout: string }>((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(stubborn)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    const send = () => {
      const signal = signals.shift();
      if (signal) child.kill(signal);
    };
    child.stderr.on('data', (data) => String(data).includes('ready') && send());
    child.stdout.on('data', (data) => {
      stdout += data;
      if (String(data).includes('stopping')) send();
    });
    child.on('error', reject).on('close', (code) => resolve({ code, stdout }));
  });
}

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends the run in order with %d', async (signal, exitCode) => {
  const { code, stdout } = await interrupted(false, signal);
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(code).toBe(exitCode);
  expect(last).toMatchObject({ type: 'run.error', code: 'run.interrupted', exitCode });
});

it('a second signal ends at once what does not listen', async () => {
  expect((await interrupted(true, 'SIGINT', 'SIGINT')).code).toBe(130);
});
