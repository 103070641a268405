import { access, constants, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, resolve } from 'node:path';
import { hubCacheDir } from '../../models/hub/hub-settings.js';
import { freeMemory, totalMemory, usableCores } from '../../models/runtime/memory.js';
import { cacheFolder } from '../cache-folder.js';
import { exists } from '../files.js';
import { freeBytes } from '../model-store/types.js';
import { formatBytes } from '../progress/report-text.js';
import { type Finding, reason } from './finding.js';

/** package.json, engines. */
const oldestNode = [20, 19] as const;
/** The demo with its two pose workers stays below this. */
const leastMemory = 1.5e9;
/** A run of some seconds keeps less than this in its folder. */
const leastDisk = 1e9;

export async function machineFindings(): Promise<readonly Finding[]> {
  return [
    nodeFinding(process.versions.node),
    {
      ...{ area: 'machine', name: 'processor', state: 'ok' },
      found: `${process.platform} ${process.arch}, ${cpus()[0]?.model.trim() ?? 'unknown'}, ${plain(usableCores())} cores to use`,
    },
    memoryFinding(totalMemory(), freeMemory()),
    await diskFinding('results', resolve('outputs'), 'df -h .', 'input'),
    await diskFinding('cache', cacheFolder(), `df -h ${cacheFolder()}`, undefined),
    await diskFinding('model cache', hubCacheDir(), `df -h ${hubCacheDir()}`, undefined),
  ];
}

/** @param version e.g. `20.19.1` */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const line = { area: 'machine', name: 'Node', needed: 'usage' } as const;
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]))
    return { ...line, state: 'ok', found: version };
  return { ...line, state: 'failed', found: `${version}, older than ${oldestNode.join('.')}`, fix: 'nvm install 22' };
}

export function memoryFinding(totalBytes: number, freeBytes: number): Finding {
  const found = `${formatBytes(totalBytes)}, ${formatBytes(freeBytes)} free`;
  const line = { area: 'machine', name: 'memory', found } as const;
  return freeBytes >= leastMemory
    ? { ...line, state: 'ok' }
    : { ...line, state: 'failed', found: `${found}; a small run needs ${formatBytes(leastMemory)}`, fix: 'free -h' };
}

/** The folder need not exist yet. */
export async function diskFinding(
  name: string,
  folder: string,
  fix: string,
  needed: Finding['needed'],
): Promise<Finding> {
  const line = { area: 'machine', name: `disk: ${name}`, needed } as const;
  try {
    let at = folder;
    while (!(await exists(at)) && dirname(at) !== at) at = dirname(at);
    if (!(await stat(at)).isDirectory()) throw new Error(`${at} is a file`);
    await access(at, constants.W_OK);
    const free = await freeBytes(at);
    const found = Number.isFinite(free) ? `${formatBytes(free)} free in ${folder}` : folder;
    if (free >= leastDisk) return { ...line, state: 'ok', found };
    return { ...line, state: 'failed', found: `${found}; a run needs ${formatBytes(leastDisk)}`, fix };
  } catch (error) {
    return {
      ...line,
      state: 'failed',
      found: `${folder} cannot be written: ${reason(error)}`,
      fix: `ls -ld ${folder}`,
    };
  }
}

function plain(cores: number): string {
  return String(Math.round(cores * 10) / 10);
}
