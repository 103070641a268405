/** Something with a lifetime that is made when first asked for, once, and closed if it was ever made. */
export type Lazy<T extends AsyncDisposable> = AsyncDisposable & { readonly get: () => Promise<T> };

export function lazily<T extends AsyncDisposable>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  return {
    get: () => {
      made ??= make();
      return made;
    },
    async [Symbol.asyncDispose]() {
      const value = await made?.catch(() => undefined);
      made = undefined;
      await value?.[Symbol.asyncDispose]();
    },
  };
}
