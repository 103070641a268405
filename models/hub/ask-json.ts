import { type Ask, ask, badAnswer, type HubAccess, PassingFault, patiently, reasonOf } from './request.js';

/** Asks for a text of JSON, of at most `limits.listBytes`. Gives what it says, unchecked; undefined when it is no JSON. */
export async function askJson(url: string, access: HubAccess, question: Pick<Ask, 'elsewhere'> = {}): Promise<unknown> {
  const text = await patiently(url, access, async () =>
    readAll(await ask(url, { method: 'GET', ...question }, access), url, access),
  );
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readAll(response: Response, url: string, { limits, signal }: HubAccess): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of response.body ?? []) {
      length += part.byteLength;
      if (length > limits.listBytes) throw badAnswer(url, `more than ${limits.listBytes} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if ((cause as Error).name === 'PantomimeError') throw cause;
    throw new PassingFault(`the answer broke off: ${reasonOf(cause)}`, { cause });
  }
  return Buffer.concat(parts).toString('utf8');
}
