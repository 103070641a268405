import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the peer says of itself: see peer.py. */
export type PeerGreeting = {
  readonly torch: string;
  readonly maxDifference: number;
  readonly relativeL2: number;
  readonly largest: number;
};

export type PeerTask = 'step' | 'plain' | 'control' | 'matrix';

export type Peer = AsyncDisposable & {
  readonly greeting: PeerGreeting;
  readonly run: (task: PeerTask) => Promise<void>;
};

/** As PyTorch's tuning guide has it: freed memory is kept, not given back and faulted in again. Read by jemalloc alone. */
const keepMemory = 'oversize_threshold:1,background_thread:true,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1';

const program = fileURLToPath(new URL('../peer/peer.py', import.meta.url));

/** Starts the peer on a folder of weights and inputs. Throws with what it printed when it ends early. */
export async function startPeer(
  python: string,
  folder: string,
  threads: number,
  allocator: string | undefined,
): Promise<Peer> {
  const child = spawn(python, [program, folder, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...{ ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      ...(allocator && { LD_PRELOAD: allocator, MALLOC_CONF: keepMemory }),
    },
  });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python} ${program} ended early`);
    return JSON.parse(value);
  };
  return {
    greeting: (await answer()) as PeerGreeting,
    run: async (task) => {
      child.stdin.write(`${task}\n`);
      await answer();
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await closed;
    },
  };
}
