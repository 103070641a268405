import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isRepositoryId, isRevision, isSafePath } from '#dist/models/hub/cache-layout.js';
import { catalog, repositories } from '#dist/models/hub/catalog.js';
import { hubSettings } from '#dist/models/hub/hub-settings.js';
import { licences } from '#dist/models/hub/licences.js';
import { parseHubName } from '#dist/pipeline/model-store/hub-name.js';
import { modelFiles } from '#dist/pipeline/model-store/model-files.js';

it('the catalog is in order: names, hashes, sizes, paths, licences', () => {
  const names = catalog.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, use, files } of catalog) {
    expect(name).toMatch(/^[a-z0-9][a-z0-9.-]+$/);
    expect(files.length).toBeGreaterThan(0);
    expect(new Set(files.map(({ as }) => as)).size).toBe(files.length);
    if (use === '--controlnext' || use === '--overlay') expect(files).toHaveLength(1);
    for (const { path, as, sizeBytes, aboutBytes, sha256, repository } of files) {
      expect(isSafePath(path) && isSafePath(as)).toBe(true);
      expect((sizeBytes ?? aboutBytes ?? 0) > 0).toBe(true);
      if (sha256 !== undefined) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      const { id, revision, licence } = repositories[repository];
      expect(isRepositoryId(id)).toBe(true);
      if (revision !== undefined) expect(revision).toMatch(/^[0-9a-f]{40}$/);
      expect(licences[licence].meaning.length).toBeGreaterThan(0);
    }
    // What is gated or not free for every use is asked for.
    const terms = new Set(files.map(({ repository }) => repositories[repository]));
    for (const { gated, licence } of terms)
      if (gated || licence !== 'apache-2.0') expect(licences[licence].ask).toBe(true);
  }
});

it('names on the Hub', () => {
  expect(parseHubName('hf:a/b')).toEqual({ repository: 'a/b', revision: 'main', path: undefined });
  expect(parseHubName('hf:a/b.c@v1.0')).toEqual({ repository: 'a/b.c', revision: 'v1.0', path: undefined });
  expect(parseHubName('hf:a/b@v1/x/y.bin')).toEqual({ repository: 'a/b', revision: 'v1', path: 'x/y.bin' });
  expect(parseHubName('hf:a/b/y.bin')).toEqual({ repository: 'a/b', revision: 'main', path: 'y.bin' });
  expect(['a', 'a/b/c', '../b', 'a/..', 'a/b.', 'a--b/c', 'a/b\n'].filter(isRepositoryId)).toEqual([]);
  expect(['', '..', 'a/b', '-x', 'a..b', 'a\n'].filter(isRevision)).toEqual([]);
});

it('settings of the environment', () => {
  expect(hubSettings({})).toEqual({
    ...{ endpoint: 'https://huggingface.co', token: undefined, offline: false },
    cacheDir: join(homedir(), '.cache', 'huggingface', 'hub'),
  });
  const env = {
    HF_ENDPOINT: 'https://mirror.example/hf/',
    HF_TOKEN: ' hf_x\n',
    HF_HUB_OFFLINE: '1',
    HF_HOME: '/data/hf',
  };
  expect(hubSettings(env)).toEqual({
    ...{ endpoint: 'https://mirror.example/hf', token: 'hf_x', offline: true, cacheDir: '/data/hf/hub' },
  });
  expect(hubSettings({ HF_HOME: '/a', HF_HUB_CACHE: '~/b', HF_HUB_OFFLINE: '0' })).toMatchObject({
    ...{ cacheDir: join(homedir(), 'b'), offline: false },
  });
  expect(hubSettings({ HF_ENDPOINT: 'http://127.0.0.1:1', HF_TOKEN: 'x' }).token).toBe('x');
});

it.each([
  [{ HF_ENDPOINT: 'file:///etc' }, 'HF_ENDPOINT'],
  [{ HF_ENDPOINT: 'huggingface.co' }, 'HF_ENDPOINT'],
  [{ HF_ENDPOINT: 'https://me:secret@huggingface.co' }, 'HF_ENDPOINT'],
  [{ HF_ENDPOINT: 'http://mirror.example', HF_TOKEN: 'secret' }, 'HF_ENDPOINT'],
  [{ HF_TOKEN: 'secret\r\nx: y' }, 'HF_TOKEN'],
])('refuses %j without repeating secrets', (env, where) => {
  const error = (() => {
    try {
      return hubSettings(env);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toMatchObject({ code: 'hub.settings', exitCode: 2, details: { where } });
  expect(JSON.stringify((error as { details: object }).details)).not.toContain('secret');
});

it('takes of a repository what a model needs: fp16 before fp32, shards with their index, .bin where there is nothing else', () => {
  const configs = [
    ...['model_index.json', 'scheduler/scheduler_config.json', 'feature_extractor/preprocessor_config.json'],
    ...['unet/config.json', 'vae/config.json', 'image_encoder/config.json'],
  ];
  const stem = 'unet/diffusion_pytorch_model';
  const shards = [1, 2].map((i) => `${stem}.fp16-0000${i}-of-00002.safetensors`);
  const plain = [1, 2].map((i) => `${stem}-0000${i}-of-00002.safetensors`);
  const all = [
    ...configs,
    ...['README.md', 'svd_xt.safetensors', 'controlnext.safetensors', `${stem}.bin`, `${stem}.msgpack`],
    ...[...shards, `${stem}.safetensors.index.fp16.json`, ...plain, `${stem}.safetensors.index.json`],
    ...['vae/diffusion_pytorch_model.safetensors', 'vae/diffusion_pytorch_model.fp16.safetensors'],
    ...['image_encoder/pytorch_model.bin', 'text_encoder/model.safetensors'],
  ];
  expect([...modelFiles(all, 'x')].sort()).toEqual(
    [
      ...configs,
      ...['controlnext.safetensors', ...shards, `${stem}.safetensors.index.fp16.json`],
      ...['vae/diffusion_pytorch_model.fp16.safetensors', 'image_encoder/pytorch_model.bin'],
    ].sort(),
  );
});
