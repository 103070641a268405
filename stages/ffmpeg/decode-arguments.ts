import type { MediaInfo, Rational, VideoInfo } from '../types.js';
import { guardedInput } from './file-input.js';
import type { FfmpegTools } from './locate.js';
import { formatRational, toNumber } from './rational.js';

/** Which frames of a clip are taken. */
export type FrameSelection = {
  /** Rate of the constant-rate stream that the stride counts in. */
  readonly baseRate: Rational;
  /** Rate of the frames that come out: `baseRate / stride`, exact. */
  readonly frameRate: Rational;
  readonly stride: number;
  /** First frame, counted in the constant-rate stream. */
  readonly startFrame: number;
  /** Frames at most, after the stride. */
  readonly frameLimit: number;
};

/** Size of the frames, and who hears of what cannot be shown as it was meant. */
export type FrameOutput = {
  readonly width: number;
  readonly height: number;
  readonly onWarning?: ((message: string) => void) | undefined;
};

/** Seconds decoded before the first wanted frame, so that a picture that was shown for long is known there. */
const prerollSec = { constant: 2, variable: 10 };

/** The arguments of the one long decoding command. */
export function decodeArguments(
  info: MediaInfo,
  plan: FrameSelection,
  tools: Pick<FfmpegTools, 'decoders' | 'filters'>,
  { width, height, onWarning }: FrameOutput,
): { readonly inputOptions: readonly string[]; readonly outputOptions: readonly string[] } {
  const { video } = info;
  const { baseRate, startFrame, stride } = plan;
  const inputOptions = ['-nostdin', '-v', 'error', ...guardedInput];
  const library = video.codec === 'vp9' ? 'libvpx-vp9' : video.codec === 'vp8' ? 'libvpx' : undefined;
  if (video.hasAlpha && library) {
    if (tools.decoders.has(library)) inputOptions.push('-c:v', library);
    else onWarning?.(`${info.path}: transparency is ignored, this ffmpeg lacks the decoder ${library}`);
  }

  // Seeking lands on a frame of the grid before the start; the rest is counted, so that rounding cannot shift a frame.
  const preroll = Math.ceil(prerollSec[video.variableFrameRate ? 'variable' : 'constant'] * toNumber(baseRate));
  const seekFrame = Math.max(0, startFrame - preroll);
  if (seekFrame > 0) inputOptions.push('-ss', ((seekFrame * baseRate.den) / baseRate.num).toFixed(6));

  const filters = [`fps=${formatRational(baseRate)}:start_time=0`];
  if (startFrame > seekFrame) filters.push(`trim=start_frame=${startFrame - seekFrame}`, 'setpts=PTS-STARTPTS');
  if (stride > 1) filters.push(`framestep=step=${stride}`);
  filters.push(...colourFilters(info, tools, onWarning));
  const same = width === uprightWidth(video) && height === uprightHeight(video);
  // The explicit scale holds the size when a hostile stream changes it midway. Bicubic is what ffmpeg does by itself.
  filters.push(
    `scale=${width}:${height}:flags=${same ? 'bicubic' : 'lanczos+accurate_rnd+full_chroma_int'}`,
    'setsar=1',
  );
  return {
    inputOptions,
    // The rate is said once more because setpts makes ffmpeg 7 forget it: it would drop frames to reach 25 a second.
    outputOptions: [
      ...['-map', '0:V:0', '-an', '-sn', '-dn', '-vf', filters.join(','), '-frames:v', String(plan.frameLimit)],
      ...['-r', formatRational(plan.frameRate), '-f', 'rawvideo', '-pix_fmt', 'rgb24'],
    ],
  };
}

function colourFilters(
  { path, video }: MediaInfo,
  tools: Pick<FfmpegTools, 'filters'>,
  onWarning: ((message: string) => void) | undefined,
): string[] {
  if (video.color.hdr) {
    if (tools.filters.has('zscale') && tools.filters.has('tonemap')) {
      const { transfer = 'smpte2084', primaries = 'bt2020', matrix = 'bt2020nc', range } = video.color;
      // Everything is named, because zscale refuses streams that leave one of them out.
      const from = `tin=${transfer}:pin=${zscaleName(primaries)}:min=${zscaleName(matrix)}:rin=${range === 'pc' ? 'full' : 'limited'}`;
      return [
        `zscale=${from}:t=linear:npl=100`,
        'format=gbrpf32le',
        'zscale=p=bt709',
        'tonemap=hable',
        'zscale=t=bt709:m=bt709:r=full',
        'format=rgb24',
      ];
    }
    onWarning?.(`${path}: HDR colours will look flat, this ffmpeg lacks the filters zscale and tonemap`);
  }
  // On black: colour times alpha, before any scaling mixes colours that were never visible.
  // The range is named because the 2018 build takes untagged RGB for 16-235 there.
  return video.hasAlpha ? ['format=gbrap', 'setrange=full', 'premultiply=inplace=1', 'format=gbrp'] : [];
}

/** zscale writes bt2020 names as 2020_ncl or bt2020nc by version; its numbers from H.273 hold everywhere. */
function zscaleName(name: string): string {
  const numbers: Record<string, string> = { bt709: '1', bt2020: '9', bt2020nc: '9', bt2020c: '10', smpte432: '12' };
  return numbers[name] ?? '9';
}

/** Size of the turned picture before its pixels are made square. */
function uprightWidth(video: VideoInfo): number {
  return video.rotationDeg % 180 === 0 ? video.codedWidth : video.codedHeight;
}

function uprightHeight(video: VideoInfo): number {
  return video.rotationDeg % 180 === 0 ? video.codedHeight : video.codedWidth;
}
