import { type TransferListItem, Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { PantomimeError } from '../../models/errors.js';
import type { Span } from '../../models/runtime/monotonic.js';

/** What a pool's worker posts: `ready` once it can work, then one answer for each message it gets. */
export type PoolReply<Answer> =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly answer: Answer; readonly span: Span }
  | { readonly type: 'failed'; readonly reason: string };

/** Which worker was at work, from 0, and when. */
export type PoolWork = Span & { readonly worker: number };

/** A few worker threads that take messages one at a time each. */
export type WorkerPool<Question, Answer> = AsyncDisposable & {
  readonly size: number;
  /** Waits for a free worker, hands `question` to it and gives its answer. Rejects; never hangs. */
  ask(
    question: Question,
    transfer?: readonly TransferListItem[],
    onWork?: ((work: PoolWork) => void) | undefined,
  ): Promise<Answer>;
};

export type WorkerPoolOptions = {
  /** The module the workers run; it speaks {@link PoolReply}. */
  readonly entry: URL;
  readonly workerData: unknown;
  readonly size: number;
  /** What the pool does, for messages, e.g. `pose detection`. */
  readonly task: string;
  readonly signal?: AbortSignal | undefined;
};

type Member<Question, Answer> = {
  readonly worker: Worker;
  readonly started: Promise<void>;
  readonly index: number;
  ask(question: Question, transfer: readonly TransferListItem[]): Promise<{ answer: Answer; span: Span }>;
};

/**
 * Starts `size` workers and waits until all are ready. Whatever ends one of them early (an exception, an exit, a lack of
 * memory) or aborts `signal` ends the pool: everything asked then or later is rejected with that reason.
 */
export async function createWorkerPool<Question, Answer>(
  options: WorkerPoolOptions,
): Promise<WorkerPool<Question, Answer>> {
  const { task, size, signal } = options;
  const queue = new PQueue({ concurrency: size });
  /** Aborted with the reason when the pool ends. */
  const end = new AbortController();
  const members: Member<Question, Answer>[] = [];

  const stop = async (reason: PantomimeError) => {
    if (!end.signal.aborted) end.abort(reason);
    signal?.removeEventListener('abort', onAbort);
    await Promise.all(members.map(({ worker }) => worker.terminate()));
  };
  const crashed = (what: string, cause?: unknown) =>
    void stop(new PantomimeError({ code: 'pose.worker-crashed', kind: 'internal', what: `${task}: ${what}`, cause }));
  const onAbort = () => void stop(interrupted(task, signal?.reason));

  if (signal?.aborted) throw interrupted(task, signal.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  for (let i = 0; i < size; i++) members.push(startMember(options, i, end.signal, crashed));
  try {
    await Promise.all(members.map(({ started }) => started));
  } catch (error) {
    await stop(error as PantomimeError);
    throw error;
  }

  const idle = [...members];
  return {
    size,
    ask: (question, transfer = [], onWork) =>
      queue.add(async () => {
        const member = idle.pop() as Member<Question, Answer>; // the queue runs no more jobs than there are members
        try {
          const { answer, span } = await member.ask(question, transfer);
          onWork?.({ ...span, worker: member.index });
          return answer;
        } finally {
          idle.push(member);
        }
      }),
    [Symbol.asyncDispose]: () =>
      stop(new PantomimeError({ code: 'pose.closed', kind: 'internal', what: `${task} was used after its end` })),
  };
}

function startMember<Question, Answer>(
  { entry, workerData, task }: WorkerPoolOptions,
  index: number,
  end: AbortSignal,
  crashed: (what: string, cause?: unknown) => void,
): Member<Question, Answer> {
  // Nothing a worker prints may reach the terminal; execArgv: it must not inherit a test runner's or debugger's flags.
  const worker = new Worker(entry, { workerData, stdout: true, stderr: true, execArgv: [] });
  worker.stdout.resume();
  worker.stderr.resume();
  worker.on('error', (error) => crashed(`a worker failed: ${error.message}`, error));
  worker.on('messageerror', (error) => crashed('a message could not be read', error));
  worker.on('exit', (code) => crashed(`a worker ended early with code ${code}`));

  /** The next reply, or the reason for which none will come. */
  const nextReply = () =>
    new Promise<PoolReply<Answer>>((resolve, reject) => {
      if (end.aborted) return reject(end.reason);
      const onMessage = (reply: PoolReply<Answer>) => {
        end.removeEventListener('abort', onEnd);
        resolve(reply);
      };
      const onEnd = () => {
        worker.off('message', onMessage);
        reject(end.reason);
      };
      worker.once('message', onMessage);
      end.addEventListener('abort', onEnd, { once: true });
    });

  return {
    worker,
    index,
    started: nextReply().then(() => {}),
    async ask(question, transfer) {
      const reply = nextReply();
      if (!end.aborted) worker.postMessage(question, transfer);
      const answer = await reply;
      if (answer.type === 'answer') return answer;
      throw new PantomimeError({
        code: 'pose.detection-failed',
        kind: 'internal',
        what: `${task} failed on a frame: ${answer.type === 'failed' ? answer.reason : answer.type}`,
      });
    },
  };
}

function interrupted(task: string, cause: unknown): PantomimeError {
  return new PantomimeError({ code: 'pose.interrupted', kind: 'interrupted', what: `${task} was cancelled`, cause });
}
