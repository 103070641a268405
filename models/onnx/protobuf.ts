/**
 * Write-only protocol buffers, as much as ONNX needs. Nested messages are written in place: a message's length is a
 * varint padded to four bytes, patched when the message ends, so nothing is measured twice or copied.
 */
export class ProtoWriter {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #text = new TextEncoder();

  /** Varint field: integers, enums. `value` may be negative (two's complement, ten bytes). */
  int(field: number, value: number): void {
    this.#tag(field, 0);
    if (value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): void {
    this.#tag(field, 5);
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  string(field: number, value: string): void {
    // A UTF-16 unit takes at most three bytes in UTF-8.
    this.#tag(field, 2);
    this.#reserve(value.length * 3 + 5);
    if (value.length * 3 < 128) {
      const { written } = this.#text.encodeInto(value, this.#bytes.subarray(this.#length + 1));
      this.#bytes[this.#length] = written;
      this.#length += 1 + written;
    } else {
      const encoded = this.#text.encode(value);
      this.#varint(encoded.length);
      this.#append(encoded);
    }
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, 2);
    this.#varint(value.length);
    this.#append(value);
  }

  message(field: number, write: () => void): void {
    this.#tag(field, 2);
    this.#reserve(4);
    const start = this.#length;
    this.#length += 4;
    write();
    const size = this.#length - start - 4;
    if (size >= 1 << 28) throw new RangeError('a protobuf message of 256 MiB or more');
    for (let i = 0; i < 4; i++) this.#bytes[start + i] = ((size >>> (7 * i)) & 127) | (i < 3 ? 128 : 0);
  }

  /** What has been written so far, as a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) + 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #append(data: Uint8Array): void {
    this.#reserve(data.length);
    this.#bytes.set(data, this.#length);
    this.#length += data.length;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
