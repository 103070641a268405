import { PantomimeError } from '../../models/errors.js';
import { locateFfmpeg } from '../../stages/ffmpeg/locate.js';
import { type Finding, reason } from './finding.js';
import { installCommand } from './install-command.js';

const origins = { option: '--ffmpeg', environment: 'FFMPEG_PATH', path: 'PATH', carried: 'of the packages' } as const;
/** Of `stages/encode.ts`: pictures, and sound that cannot be copied. */
const encoders = ['libx264', 'aac'];
/** For HDR clips. */
const filters = ['zscale', 'tonemap'];

/** Which ffmpeg a run would use, and whether it can do what is asked of it. */
export async function videoFindings(signal?: AbortSignal, env?: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const fix = installCommand('ffmpeg');
  const line = { area: 'video', needed: 'ffmpeg' } as const;
  try {
    const tools = await locateFfmpeg({ signal, env });
    const old = tools.origin === 'carried' ? '; from 2018, not for videos from strangers' : '';
    const missing = encoders.filter((name) => !tools.encoders.has(name));
    const noFilters = filters.filter((name) => !tools.filters.has(name));
    return [
      {
        ...line,
        name: 'ffmpeg',
        state: 'ok',
        found: `${tools.version}, ${tools.ffmpeg} (${origins[tools.origin]})${old}`,
      },
      { ...line, name: 'ffprobe', state: 'ok', found: `${tools.ffprobe} (${origins[tools.ffprobeOrigin]})` },
      missing.length === 0
        ? { ...line, name: 'encoders', state: 'ok', found: encoders.join(', ') }
        : { ...line, name: 'encoders', state: 'missing', found: `without ${missing.join(', ')}`, fix },
      noFilters.length === 0
        ? { area: 'video', name: 'HDR clips', state: 'ok', found: `filters ${filters.join(', ')}` }
        : { area: 'video', name: 'HDR clips', state: 'missing', found: `no filter ${noFilters.join(', ')}`, fix },
    ];
  } catch (error) {
    signal?.throwIfAborted();
    const found = error instanceof PantomimeError ? error.message : reason(error);
    return [{ ...line, name: 'ffmpeg', state: 'missing', found, fix }];
  }
}
