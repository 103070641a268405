/** Something with a lifetime that is made when first asked for, once, and closed if it was ever made. */
export type Lazy<T extends AsyncDisposable> = AsyncDisposable & { readonly get: () => Promise<T> };

export function lazily<T extends AsyncDisposable>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  let closed = false;
  return {
    get: () => {
      if (closed) return Promise.reject(new Error('asked for after it was closed'));
      made ??= make();
      return made;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const value = await made?.catch(() => undefined);
      await value?.[Symbol.asyncDispose]();
    },
  };
}
