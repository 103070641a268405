import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where things are looked for. */
export type NvidiaPlaces = {
  /** In this order; the last is that of Windows' subsystem for Linux. */
  readonly smi: readonly string[];
  readonly module: string;
  readonly pci: string;
};

const places: NvidiaPlaces = {
  smi: [
    '/usr/bin/nvidia-smi',
    '/usr/local/bin/nvidia-smi',
    '/usr/local/nvidia/bin/nvidia-smi',
    '/usr/lib/wsl/lib/nvidia-smi',
  ],
  module: '/proc/driver/nvidia/version',
  pci: '/sys/bus/pci/devices',
};

export type NvidiaDriver = {
  /** e.g. `535.104.05`; undefined when there is none, or it does not say. */
  readonly version: string | undefined;
  /** e.g. `NVIDIA H100 80GB HBM3, 81559 MiB`; empty where nvidia-smi is not there. */
  readonly cards: readonly string[];
  /** What nvidia-smi said when it failed. */
  readonly trouble: string | undefined;
  /** Whether a graphics card of NVIDIA is plugged in. */
  readonly plugged: boolean;
};

const smiMs = 30_000;

/** What there is of NVIDIA, by its own program and by the system's tables. Never rejects but by `signal`. */
export async function nvidiaDriver(
  signal?: AbortSignal,
  { smi, module, pci }: NvidiaPlaces = places,
): Promise<NvidiaDriver> {
  const loaded = /Kernel Module[^\n]*?\s(\d+(?:\.\d+)+)\s/.exec(textOf(module))?.[1];
  const none = { version: loaded, cards: [], trouble: undefined, plugged: isPlugged(pci) };
  const program = smi.find((path) => existsSync(path));
  if (!program) return none;
  const query = ['--query-gpu=driver_version,name,memory.total', '--format=csv,noheader'];
  try {
    const { stdout } = await promisify(execFile)(program, query, { timeout: smiMs, ...(signal && { signal }) });
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(',').map((cell) => cell.trim()));
    const cards = rows.filter((row) => row.length === 3).map(([, name, memory]) => `${name}, ${memory}`);
    if (cards.length === 0) return { ...none, trouble: `nvidia-smi names no card: ${stdout.trim().slice(0, 200)}` };
    return { version: rows[0]?.[0], cards, trouble: undefined, plugged: true };
  } catch (thrown) {
    signal?.throwIfAborted();
    const { stdout = '', message } = thrown as Error & { readonly stdout?: string };
    return { ...none, trouble: `nvidia-smi: ${(stdout || message).trim().slice(0, 200)}` };
  }
}

/** PCI: vendor 10de, class 03 (displays and accelerators that compute). */
function isPlugged(pci: string): boolean {
  try {
    return readdirSync(pci).some(
      (device) =>
        textOf(join(pci, device, 'vendor')).trim() === '0x10de' &&
        textOf(join(pci, device, 'class')).startsWith('0x03'),
    );
  } catch {
    return false;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
