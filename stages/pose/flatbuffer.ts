/**
 * A FlatBuffer value to write: `u8`/`u32` are kept inside their table, everything else is referred to. `tail` is a
 * position in an existing FlatBuffer that will follow the new bytes.
 */
export type FlatValue =
  | { readonly u8: number }
  | { readonly u32: number }
  | { readonly table: readonly (FlatValue | undefined)[] }
  | { readonly vector: readonly FlatValue[] }
  | { readonly floats: readonly number[] }
  | { readonly bytes: Uint8Array }
  | { readonly string: string }
  | { readonly tail: number };

/**
 * Writes one FlatBuffer from front to back, so that every reference points forward, and appends `tail` unchanged at the
 * next multiple of 16. Only what is needed to add metadata to a TFLite model; layout from the FlatBuffers "internals" page.
 */
export function writeFlatBuffer(root: FlatValue, identifier: string, tail: Uint8Array = new Uint8Array(0)): Uint8Array {
  const head: number[] = [0, 0, 0, 0, ...Buffer.from(identifier, 'latin1')];
  const references: { readonly at: number; readonly to: FlatValue }[] = [{ at: 0, to: root }];
  const tailReferences: { readonly at: number; readonly position: number }[] = [];

  const align = (multiple: number, ahead = 0) => {
    while ((head.length + ahead) % multiple !== 0) head.push(0);
  };
  const u16 = (value: number) => head.push(value & 255, value >>> 8);
  const u32 = (value: number) => head.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
  const setU32 = (at: number, value: number) => {
    for (let i = 0; i < 4; i++) head[at + i] = (value >>> (8 * i)) & 255;
  };
  const slot = (value: FlatValue) => {
    if ('u8' in value) u32(value.u8);
    else if ('u32' in value) u32(value.u32);
    else {
      if ('tail' in value) tailReferences.push({ at: head.length, position: value.tail });
      else references.push({ at: head.length, to: value });
      u32(0);
    }
  };

  /** Writes a referred-to value and returns where it starts. */
  const place = (value: FlatValue): number => {
    if ('table' in value) {
      const vtableBytes = 4 + 2 * value.table.length;
      align(4, vtableBytes);
      const vtable = head.length;
      const present = value.table.filter((field) => field !== undefined);
      u16(vtableBytes);
      u16(4 + 4 * present.length);
      let offset = 4;
      for (const field of value.table) {
        u16(field ? offset : 0);
        if (field) offset += 4;
      }
      const table = head.length;
      u32(table - vtable);
      present.forEach(slot);
      return table;
    }
    if ('string' in value || 'bytes' in value) {
      const bytes = 'string' in value ? Buffer.from(value.string) : value.bytes;
      align(16, 4);
      const start = head.length;
      u32(bytes.length);
      for (const byte of bytes) head.push(byte);
      if ('string' in value) head.push(0);
      return start;
    }
    align(4);
    const start = head.length;
    if ('floats' in value) {
      u32(value.floats.length);
      head.push(...new Uint8Array(new Float32Array(value.floats).buffer));
    } else if ('vector' in value) {
      u32(value.vector.length);
      value.vector.forEach(slot);
    }
    return start;
  };

  for (let next = references.shift(); next; next = references.shift()) setU32(next.at, place(next.to) - next.at);
  align(16);
  for (const { at, position } of tailReferences) setU32(at, head.length + position - at);

  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
