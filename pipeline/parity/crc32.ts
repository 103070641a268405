/** CRC-32 (IEEE 802.3, as in zip and zlib) of a text's UTF-8 bytes. `zlib.crc32` is missing in early releases of Node 20. */
export function crc32(text: string): number {
  let crc = 0xffff_ffff;
  for (const byte of Buffer.from(text, 'utf8')) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
