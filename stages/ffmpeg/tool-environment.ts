/**
 * Environment of every ffmpeg and ffprobe. Builds that are linked statically (the carried ffprobe is one) crash in the
 * machine's own character conversion modules, which they load for the programme names of any MPEG-TS file. No text of a
 * file matters here, so those modules are not found.
 */
export function toolEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GCONV_PATH: '/nonexistent' };
}
