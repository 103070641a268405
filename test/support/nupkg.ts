import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of a ZIP. What is not said is as it should be. */
export type PackedFile = {
  readonly name: string;
  readonly content: Buffer;
  readonly stored?: boolean;
  /** Unix file type and rights. */
  readonly mode?: number;
  /** Lies about the content. */
  readonly listedBytes?: number;
  readonly listedCrc?: number;
  /** Other bytes in the place of the compressed ones. */
  readonly packed?: Buffer;
};

/** A ZIP as NuGet's tools write it: deflated, without data descriptors. APPNOTE 4.3. */
export function packZip(files: readonly PackedFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const { name, content, stored = false, mode = 0, listedBytes, listedCrc, packed } of files) {
    const data = packed ?? (stored ? content : deflateRawSync(content));
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26); // from the version needed to the length of the extra field
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(listedCrc ?? crc32(content), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(listedBytes ?? content.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, data]);
    const tail = Buffer.alloc(14); // comment, volume, attributes, place
    tail.writeUInt32LE(mode * 65536, 6);
    tail.writeUInt32LE(position, 10);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, mode === 0 ? 0 : 3]), common, tail, nameBytes);
    parts.push(local);
    position += local.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...parts, directoryBytes, end]);
}

export function nuspec(id: string, version: string): PackedFile {
  const text = `<?xml version="1.0"?><package><metadata><id>${id}</id><version>${version}</version></metadata></package>`;
  return { name: `${id}.nuspec`, content: Buffer.from(text) };
}
