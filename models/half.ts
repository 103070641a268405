/**
 * float16 and bfloat16 as bit patterns in `Uint16Array`. Rounding is to nearest, ties to even; subnormals, infinities
 * and NaN are kept. The decoding tables are built once on first use.
 */

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** Bits of the float16 nearest to `value`. */
export function floatToHalf(value: number): number {
  scratchFloat[0] = value;
  const rounded = scratchFloat[0];
  const bits = scratchBits[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  let magnitude = bits & 0x7fff_ffff;
  if (rounded !== value && magnitude < 0x7f80_0000) {
    // Rounded to odd, a float32 remembers on which side of a tie the double was: no double rounding.
    if (Math.abs(rounded) > Math.abs(value)) magnitude -= 1;
    magnitude |= 1;
  }
  if (magnitude > 0x7f80_0000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  // 65520 lies halfway between the largest half and the next power of two: it and everything above is infinity.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  if (magnitude >= 0x3880_0000) return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Below 2^-14 halves are multiples of 2^-24, which is the spacing of float32 in [0.5, 1): the addition rounds for us.
  scratchFloat[0] = Math.abs(value) + 0.5;
  return sign | ((scratchBits[0] as number) - 0x3f00_0000);
}

/** Value of a float16 given as bits. */
export function halfToFloat(half: number): number {
  return halfTable()[half & 0xffff] as number;
}

/** Bits of the bfloat16 nearest to `value` (first rounded to float32). */
export function floatToBfloat(value: number): number {
  scratchFloat[0] = value;
  const bits = scratchBits[0] as number;
  if ((bits & 0x7fff_ffff) > 0x7f80_0000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Value of a bfloat16 given as bits. */
export function bfloatToFloat(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratchFloat[0] as number;
}

/** float16 bits to float32 values. */
export function halvesToFloats(halves: Uint16Array): Float32Array {
  // Copied as bits: going through numbers could change the payload of a NaN.
  const table = new Uint32Array(halfTable().buffer);
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i] as number] as number;
  return new Float32Array(bits.buffer);
}

/** float32 values to float16 bits. */
export function floatsToHalves(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < floats.length; i++) halves[i] = floatToHalf(floats[i] as number);
  return halves;
}

/** bfloat16 bits to float32 values. */
export function bfloatsToFloats(bfloats: Uint16Array): Float32Array {
  const bits = new Uint32Array(bfloats.length);
  for (let i = 0; i < bfloats.length; i++) bits[i] = (bfloats[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

/** float32 values to bfloat16 bits. */
export function floatsToBfloats(floats: Float32Array): Uint16Array {
  const bfloats = new Uint16Array(floats.length);
  for (let i = 0; i < floats.length; i++) bfloats[i] = floatToBfloat(floats[i] as number);
  return bfloats;
}

let table: Float32Array | undefined;

function halfTable(): Float32Array {
  if (table) return table;
  const bits = new Uint32Array(0x1_0000);
  const values = new Float32Array(bits.buffer);
  for (let half = 0; half < 0x1_0000; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) {
      values[half] = mantissa * 2 ** -24;
      bits[half] = (bits[half] as number) | sign;
    } else {
      bits[half] = sign | ((exponent === 0x1f ? 0xff : exponent + 112) << 23) | (mantissa << 13);
    }
  }
  table = values;
  return table;
}
