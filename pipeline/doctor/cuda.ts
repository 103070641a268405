import { existsSync, readFileSync } from 'node:fs';
import { cudaRuntime, unloadable } from '../../models/runtime/cuda/cuda-libraries.js';
import { type NvidiaDriver, nvidiaDriver } from '../../models/runtime/cuda/nvidia-driver.js';
import { bindingFolder, hasCudaPlatform, missingCudaLibraries } from '../../models/runtime/providers.js';
import { readCudaRecord } from '../setup/cuda-record.js';
import { type Finding, reason } from './finding.js';

/** Of CUDA 12 by its minor version compatibility. */
const oldestDriver = [525, 60, 13];

export type CudaState = {
  readonly findings: readonly Finding[];
  /** Whether there is a card and a driver: then all the rest is wanted. */
  readonly wanted: boolean;
};

/** What onnxruntime needs for CUDA, one line each. Without a card of NVIDIA nothing of it is needed. */
export async function cudaState(signal?: AbortSignal): Promise<CudaState> {
  const line = { area: 'cuda' } as const;
  if (!hasCudaPlatform) {
    const found = `onnxruntime has CUDA for Linux x64, and this is ${process.platform} ${process.arch}`;
    return { wanted: false, findings: [{ ...line, name: 'CUDA', state: 'not needed', found }] };
  }
  const driver = await nvidiaDriver(signal);
  const wanted = driver.plugged || driver.cards.length > 0 || driver.version !== undefined;
  const lines = [driverFinding(driver), ...(await libraryFindings(signal)), await providerFinding()];
  return { wanted, findings: wanted ? lines : lines.map(asNotNeeded) };
}

/** Where there is no card, what is not there is not missing. */
function asNotNeeded({ area, name, state, found }: Finding): Finding {
  return { area, name, state: state === 'ok' ? 'ok' : 'not needed', found };
}

export function driverFinding({ version, cards, trouble, plugged }: NvidiaDriver): Finding {
  const line = { area: 'cuda', name: 'NVIDIA driver' } as const;
  const found = [version, ...cards, trouble].filter(Boolean).join('; ');
  if (trouble) return { ...line, state: 'failed', found, fix: 'nvidia-smi' };
  if (version === undefined) {
    if (!plugged)
      return { ...line, state: 'missing', found: 'no graphics card of NVIDIA is seen', fix: driverCommand() };
    return {
      ...line,
      state: 'missing',
      found: 'there is a graphics card of NVIDIA, and no driver',
      fix: driverCommand(),
    };
  }
  if (isOlder(version.split('.').map(Number), oldestDriver)) {
    return {
      ...line,
      state: 'failed',
      found: `${found}; CUDA 12 needs ${oldestDriver.join('.')}`,
      fix: driverCommand(),
    };
  }
  return { ...line, state: 'ok', found };
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const at = than.findIndex((part, i) => (version[i] ?? 0) !== part);
  return at >= 0 && (version[at] ?? 0) < (than[at] as number);
}

function driverCommand(): string {
  if (existsSync('/.dockerenv')) return 'docker run --gpus all ...';
  const system = /^ID=(.*)$/m.exec(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')?.[1];
  return system === 'ubuntu' ? 'sudo ubuntu-drivers install' : 'sudo apt-get install nvidia-driver';
}

async function libraryFindings(signal?: AbortSignal): Promise<readonly Finding[]> {
  const { cuda12, cuda13, cudnn9 } = cudaRuntime;
  try {
    const lacking = await unloadable([...cuda12, ...cuda13, ...cudnn9], signal);
    return [
      librariesFinding('CUDA 12', cuda12, lacking, 'cuda-libraries-12-8', lacking.has(cuda13[0]) ? '' : wrongCuda),
      librariesFinding('cuDNN 9', cudnn9, lacking, 'libcudnn9-cuda-12', ''),
    ];
  } catch (error) {
    signal?.throwIfAborted();
    const found = `the libraries of CUDA cannot be tried: ${reason(error)}`;
    return [{ area: 'cuda', name: 'CUDA 12', state: 'failed', found, fix: 'ldconfig -p' }];
  }
}

const wrongCuda = '; CUDA 13 is here, but the files of onnxruntime are made for 12';

/** @param lacking library to what the dynamic loader says. */
export function librariesFinding(
  name: string,
  libraries: readonly string[],
  lacking: ReadonlyMap<string, string>,
  aptPackage: string,
  remark: string,
): Finding {
  const line = { area: 'cuda', name } as const;
  const missing = libraries.filter((library) => lacking.has(library));
  if (missing.length === 0) return { ...line, state: 'ok', found: libraries.join(', ') };
  // It is there, and something it is linked to is not.
  const broken = missing.find((library) => !lacking.get(library)?.startsWith(library));
  const found = broken ? `${broken}: ${lacking.get(broken)}` : `not found: ${missing.join(', ')}`;
  return {
    ...line,
    state: broken ? 'failed' : 'missing',
    found: found + remark,
    fix: `sudo apt-get install ${aptPackage}`,
  };
}

async function providerFinding(): Promise<Finding> {
  const line = { area: 'cuda', name: 'onnxruntime' } as const;
  const missing = missingCudaLibraries();
  const fix = 'pantomime setup cuda';
  if (missing.length > 0) return { ...line, state: 'missing', found: `not there: ${missing.join(', ')}`, fix };
  const record = await readCudaRecord(bindingFolder());
  return {
    ...line,
    state: 'ok',
    found: record ? `${record.package}, installed ${record.installedAt.slice(0, 10)}` : 'there, not by pantomime',
  };
}
