/** 2 * (byte / 255) - 1 for every byte, each operation rounded to float32 as the published image processor does. */
export const signedUnits: Float32Array = Float32Array.from(
  { length: 256 },
  (_, byte) => 2 * Math.fround(byte / 255) - 1,
);
