import { hasEmbeddedModel } from '../embedded-model.js';
import { type ModelState, modelStates } from '../model-store/model-states.js';
import { modelStore } from '../model-store/types.js';
import { formatBytes } from '../progress/report-text.js';
import { type Finding, reason } from './finding.js';

const published = 'svd-xt-1.1-controlnext-v2';
/** Named even where they are not here. */
const usual: readonly string[] = [published, 'dwpose'];
const pull = (name: string) => `pantomime models pull ${name}`;

/** Models that can be named. Files are looked for, not read: `pantomime models verify` does that. */
export async function modelFindings(env?: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const embedded: Finding = (await hasEmbeddedModel())
    ? { area: 'models', name: 'embedded', state: 'ok', found: 'comes with pantomime; what is used without --model' }
    : { area: 'models', name: 'embedded', state: 'missing', found: 'not in this copy', fix: pull(published) };
  try {
    const models = await modelStates(modelStore(env));
    const shown = models.filter(
      ({ name, state, use }) => usual.includes(name) || state !== 'not here' || use === undefined,
    );
    return [embedded, ...shown.map(findingOf)];
  } catch (error) {
    const found = reason(error);
    return [embedded, { area: 'models', name: 'by name', state: 'failed', found, fix: 'env | grep HF_' }];
  }
}

function findingOf({ name, state, sizeBytes, use, path }: ModelState): Finding {
  const line = { area: 'models', name } as const;
  const size = formatBytes(sizeBytes);
  switch (state) {
    case 'here':
    case 'cached':
      return { ...line, state: 'ok', found: [size, use, path].filter(Boolean).join(', ') };
    case 'partly':
      return { ...line, state: 'missing', found: `only some files of ${size} are here`, fix: pull(name) };
    case 'not here':
      return use === undefined
        ? {
            ...line,
            state: 'missing',
            found: `its files are gone: ${path}`,
            fix: `pantomime models add ${name} PATH --overwrite`,
          }
        : { ...line, state: 'not needed', found: `for ${use}; ${pull(name)} gets it, about ${size}` };
  }
}
