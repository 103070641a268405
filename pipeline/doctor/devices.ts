import { existsSync, readdirSync } from 'node:fs';
import type { Provider } from '../../models/runtime/engine.js';
import { missingCudaLibraries } from '../../models/runtime/providers.js';
import { type ProviderReport, tryProvider } from '../../models/runtime/try-provider.js';
import { type CudaState, cudaState } from './cuda.js';
import type { Finding } from './finding.js';
import { installCommand } from './install-command.js';

/** Lets every device that might work compute something, each in an engine of its own. */
export async function deviceFindings(signal?: AbortSignal): Promise<readonly Finding[]> {
  const [state, cpu, cuda, webgpu] = await Promise.all([
    cudaState(signal),
    tryProvider('cpu', signal),
    missingCudaLibraries().length === 0 ? tryProvider('cuda', signal) : undefined,
    tryProvider('webgpu', signal),
  ]);
  const hasWebgpu = !cpu.available || cpu.info.providers.includes('webgpu');
  return [
    runtimeFinding(cpu),
    cpuFinding(cpu),
    cudaFinding(state, cuda),
    webgpuFinding(hasWebgpu ? webgpu : undefined, hasGraphics()),
    ...state.findings,
  ];
}

function runtimeFinding(cpu: ProviderReport): Finding {
  const line = { area: 'devices', name: 'onnxruntime', needed: 'device' } as const;
  if (!cpu.available) return { ...line, state: 'failed', found: cpu.why, fix: 'npm ci' };
  return { ...line, state: 'ok', found: `${cpu.info.runtimeVersion}, built with ${cpu.info.providers.join(', ')}` };
}

function cpuFinding(cpu: ProviderReport): Finding {
  const line = { area: 'devices', name: 'cpu', needed: 'device' } as const;
  return cpu.available ? { ...line, ...computed } : { ...line, state: 'failed', found: cpu.why, fix: 'npm ci' };
}

const computed = { state: 'ok', found: 'a session computed 2 + 2' } as const;
const device = (name: Provider) => ({ area: 'devices', name }) as const;

/** @param report undefined when the files of onnxruntime are not there, so that nothing could be tried. */
export function cudaFinding({ wanted, findings }: CudaState, report: ProviderReport | undefined): Finding {
  if (report?.available) return { ...device('cuda'), ...computed };
  if (!wanted) return { ...device('cuda'), state: 'not needed', found: 'no graphics card of NVIDIA is seen' };
  const cause = findings.find(({ state }) => state === 'missing' || state === 'failed');
  const found = report?.why ?? `${cause?.name}: ${cause?.found}`;
  return { ...device('cuda'), state: report ? 'failed' : 'missing', found, fix: cause?.fix ?? 'nvidia-smi' };
}

/** @param report undefined when this onnxruntime was built without it. */
export function webgpuFinding(report: ProviderReport | undefined, graphics: boolean): Finding {
  if (report?.available) return { ...device('webgpu'), ...computed };
  if (!report) return { ...device('webgpu'), state: 'not needed', found: 'this onnxruntime was built without it' };
  if (!graphics) return { ...device('webgpu'), state: 'not needed', found: 'no graphics card is seen' };
  const fix = process.platform === 'linux' ? installCommand('mesa-vulkan-drivers') : 'npm ci';
  return { ...device('webgpu'), state: 'failed', found: report.why, fix };
}

/** Whether the system has a graphics card; elsewhere than on Linux every machine has. */
function hasGraphics(): boolean {
  if (process.platform !== 'linux') return true;
  const nodes = existsSync('/dev/dri') ? readdirSync('/dev/dri') : [];
  return nodes.some((name) => name.startsWith('renderD')) || existsSync('/dev/nvidiactl');
}
