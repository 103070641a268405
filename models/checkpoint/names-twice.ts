/**
 * Whether an object of a JSON text has two equal keys, of which `JSON.parse` keeps the last in silence. Every pair has one
 * colon outside strings, so pairs can be counted in the text and in what was parsed from it.
 */
export function namesTwice(text: string, parsed: unknown): boolean {
  return countColons(text) !== countPairs(parsed);
}

function countColons(json: string): number {
  let count = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (inString && code === 92) i++;
    else if (code === 34) inString = !inString;
    else if (code === 58 && !inString) count++;
  }
  return count;
}

function countPairs(root: unknown): number {
  // A list instead of recursion: a header of a million brackets must not exhaust the stack.
  const open: unknown[] = [root];
  let count = 0;
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    const inner = Object.values(value);
    if (!Array.isArray(value)) count += inner.length;
    for (const item of inner) open.push(item);
  }
  return count;
}
