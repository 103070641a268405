const last = new Map<string, Promise<unknown>>();

/**
 * Does `work` after all earlier work of the same key in this process has ended: runs that want the same file do not make it at
 * the same time, and the second finds it made.
 */
export async function oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
  const own = (last.get(key) ?? Promise.resolve()).then(work, work);
  const settled = own.catch(() => {});
  last.set(key, settled);
  try {
    return await own;
  } finally {
    if (last.get(key) === settled) last.delete(key);
  }
}
