import { crc32 } from 'node:zlib';

/**
 * A ZIP of uncompressed files whose contents start at multiples of 4, the form of a MediaPipe `.task`. The date is the
 * first day that ZIP knows, so equal files give equal bytes. Layout: APPNOTE 4.3.
 */
export function storedZip(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const [name, data] of Object.entries(files)) {
    const nameBytes = Buffer.from(name);
    const padding = (4 - ((position + 30 + nameBytes.length) % 4)) % 4;
    const common = Buffer.alloc(26); // what the local and the central header share
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(0x21, 8); // 1 January 1980
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);

    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(20, 4);
    common.copy(central, 6);
    central.writeUInt32LE(position, 42);
    directory.push(central, nameBytes);

    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    common.copy(local, 4);
    local.writeUInt16LE(padding, 28); // extra field, only there to align the contents
    parts.push(local, nameBytes, Buffer.alloc(padding), Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    position += 30 + nameBytes.length + padding + data.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const count = Object.keys(files).length;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(position, 16);
  return new Uint8Array(Buffer.concat([...parts, directoryBytes, end]));
}
