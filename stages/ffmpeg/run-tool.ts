import { spawn } from 'node:child_process';
import { toolEnvironment } from './tool-environment.js';

/** Longest a short ffmpeg or ffprobe command may take before it is taken for hung. */
const maxToolMs = 120_000;
/** Most output kept of a short command; a hostile file cannot make it grow without end. */
const maxToolBytes = 32 * 2 ** 20;

export type ToolResult = {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Set when the program could not be started at all, was stopped for its time or its output. */
  readonly failure: string | undefined;
};

/** Run a short command to its end without a shell. Never rejects but by `signal`, whose reason it throws. */
export async function runTool(path: string, args: readonly string[], signal?: AbortSignal): Promise<ToolResult> {
  signal?.throwIfAborted();
  const result = await new Promise<ToolResult>((resolve) => {
    const child = spawn(path, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      env: toolEnvironment(),
    });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let sizeBytes = 0;
    let failure: string | undefined;
    const stop = (reason: string) => {
      failure ??= reason;
      child.kill('SIGKILL');
    };
    const onAbort = () => stop('interrupted');
    const timer = setTimeout(() => stop(`no answer within ${maxToolMs / 1000} s`), maxToolMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > maxToolBytes) stop(`more than ${maxToolBytes} bytes of output`);
        else output[name].push(chunk);
      });
    }
    child.on('error', (error) => {
      failure ??= error.message;
      // A program that never started has no 'close' on every Node version.
      if (child.pid === undefined) finish(null);
    });
    child.on('close', (code) => finish(code));
    function finish(exitCode: number | null): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('utf8');
      resolve({ exitCode, stdout: text(output.stdout), stderr: text(output.stderr), failure });
    }
  });
  signal?.throwIfAborted();
  return result;
}
