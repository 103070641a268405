import { basename, dirname, join } from 'node:path';
import { PantomimeError } from '../errors.js';
import type { Checkpoint, TensorLocation } from './checkpoint.js';
import { abbreviate } from './checkpoint.js';
import { isReadable } from './files.js';
import { readJsonFile } from './json-file.js';

/** Most shards an index may name; published models have fewer than twenty. */
const maxShards = 256;

/**
 * Opens the shards named by `*.index.json`; each tensor must lie in exactly the shard it is said to, and shards are
 * files beside their index. Throws PantomimeError `model.shards`.
 */
export async function openShards(indexPath: string, open: (path: string) => Promise<Checkpoint>): Promise<Checkpoint> {
  const index = await readJsonFile(indexPath);
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) throw badIndex(indexPath, 'it has no weight_map');
  const expected = new Map<string, unknown>(Object.entries(map));
  const shards = [...new Set(expected.values())].map((shard) => shardName(shard, indexPath));
  if (shards.length > maxShards) throw badIndex(indexPath, `more than ${maxShards} shards`);

  const paths = new Map(shards.map((shard) => [shard, join(dirname(indexPath), shard)]));
  const there = await Promise.all([...paths.values()].map(isReadable));
  const missing = shards.filter((_, i) => !there[i]);
  if (missing.length > 0) throw badIndex(indexPath, `shards are missing: ${abbreviate(missing)}`);

  const wrong: string[] = [];
  const tensors = new Map<string, TensorLocation>();
  const sources: string[] = [];
  for (const [shard, path] of paths) {
    const opened = await open(path);
    sources.push(...opened.sources);
    for (const [name, location] of opened.tensors) {
      if (expected.get(name) === shard) tensors.set(name, location);
      else wrong.push(`${name} is in ${shard}`);
    }
  }
  for (const [name, shard] of expected) if (!tensors.has(name)) wrong.push(`${name} is not in ${String(shard)}`);
  if (wrong.length > 0) throw badIndex(indexPath, `it does not agree with its shards: ${abbreviate(wrong)}`);
  return { tensors, sources };
}

/** A shard is a file beside its index, never a path that leads somewhere else, and no index itself. */
function shardName(shard: unknown, indexPath: string): string {
  if (
    typeof shard === 'string' &&
    shard === basename(shard) &&
    !/[\\:\0]/.test(shard) &&
    /\.(safetensors|bin)$/.test(shard)
  )
    return shard;
  throw badIndex(indexPath, `${JSON.stringify(shard)} is not the name of a file of weights`);
}

function badIndex(where: string, what: string): PantomimeError {
  return new PantomimeError({
    code: 'model.shards',
    kind: 'model',
    what: `the list of shards is wrong: ${what}`,
    where,
    hint: 'Get the index and all shards again, from one version of the model.',
  });
}
