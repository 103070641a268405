import { opcode, opcodeName } from './pickle-opcodes.js';

/*
 * A reader of the few pickle opcodes that saved weights consist of. It builds plain data and calls nothing but the
 * functions it is given; names, classes and opcodes it does not know end the reading.
 */

/** What a pickle may hold. A state dict takes about 40 operations a tensor. */
export const pickleLimits = {
  bytes: 32 * 1024 * 1024,
  operations: 2_000_000,
  memo: 500_000,
  depth: 64,
  textBytes: 65_536,
} as const;

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | PickleObject;

export type PickleTuple = { readonly kind: 'tuple'; readonly items: readonly PickleValue[] };
export type PickleList = { readonly kind: 'list'; readonly items: PickleValue[] };
/** `hasState`: an OrderedDict, which may be given attributes; they are dropped. */
export type PickleDict = {
  readonly kind: 'dict';
  readonly entries: Map<string | number | boolean | null, PickleValue>;
  readonly hasState: boolean;
};
/** A name that the host knows; `call` when it may be called. */
export type PickleGlobal = {
  readonly kind: 'global';
  readonly name: string;
  readonly call?: (args: readonly PickleValue[]) => PickleValue;
};
/** Something made by the host. */
export type PickleObject = { readonly kind: 'object'; readonly value: unknown };

/** What the names in a pickle stand for. */
export type PickleHost = {
  /** By `module name`. Anything else is refused. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  readonly persistent: (id: PickleValue) => PickleValue;
};

/** Why a pickle was not read: `refused` asks for more than data, `limit` for too much of it. */
export class PickleProblem extends Error {
  readonly fault: 'malformed' | 'refused' | 'limit';

  constructor(fault: PickleProblem['fault'], message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The value of a whole pickle, protocols 2 to 5. Throws PickleProblem. */
export function readPickle(bytes: Uint8Array, host: PickleHost): PickleValue {
  if (bytes.length > pickleLimits.bytes)
    throw new PickleProblem('limit', `${bytes.length} bytes are more than the limit of ${pickleLimits.bytes}`);
  return new PickleReader(bytes, host).read();
}

class PickleReader {
  readonly #bytes: Buffer;
  readonly #host: PickleHost;
  readonly #memo = new Map<number, PickleValue>();
  /** Values since the last mark; a mark puts them away. */
  #stack: PickleValue[] = [];
  readonly #marked: PickleValue[][] = [];
  #at = 0;

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
  }

  read(): PickleValue {
    for (let operations = 1; ; operations++) {
      if (operations > pickleLimits.operations)
        throw new PickleProblem('limit', `more than ${pickleLimits.operations} operations`);
      const code = this.#uint8();
      if (code === opcode.STOP) return this.#result();
      const operation = this.#operations[code];
      if (!operation) throw new PickleProblem('refused', `it uses ${opcodeName(code)}`);
      operation();
    }
  }

  #result(): PickleValue {
    const value = this.#pop();
    if (this.#stack.length + this.#marked.length > 0) throw malformed('it stops with values left over');
    if (this.#at !== this.#bytes.length) throw malformed(`${this.#bytes.length - this.#at} bytes follow its end`);
    return value;
  }

  /** What each opcode does; those that are not here are refused. */
  readonly #operations: Readonly<Record<number, () => void>> = {
    [opcode.PROTO]: () => {
      const protocol = this.#uint8();
      if (protocol < 2 || protocol > 5) throw malformed(`protocol ${protocol}`);
    },
    [opcode.FRAME]: () => this.#take(8),
    [opcode.NONE]: () => this.#push(null),
    [opcode.NEWTRUE]: () => this.#push(true),
    [opcode.NEWFALSE]: () => this.#push(false),
    [opcode.BININT1]: () => this.#push(this.#uint8()),
    [opcode.BININT2]: () => this.#push(this.#take(2).readUInt16LE()),
    [opcode.BININT]: () => this.#push(this.#take(4).readInt32LE()),
    [opcode.LONG1]: () => this.#push(this.#long()),
    [opcode.BINFLOAT]: () => this.#push(this.#take(8).readDoubleBE()),
    [opcode.BINUNICODE]: () => this.#push(this.#text(this.#take(4).readUInt32LE())),
    [opcode.SHORT_BINUNICODE]: () => this.#push(this.#text(this.#uint8())),
    [opcode.MARK]: () => this.#mark(),
    [opcode.EMPTY_TUPLE]: () => this.#push({ kind: 'tuple', items: [] }),
    [opcode.TUPLE]: () => this.#push({ kind: 'tuple', items: this.#sinceMark() }),
    [opcode.TUPLE1]: () => this.#push({ kind: 'tuple', items: this.#popMany(1) }),
    [opcode.TUPLE2]: () => this.#push({ kind: 'tuple', items: this.#popMany(2) }),
    [opcode.TUPLE3]: () => this.#push({ kind: 'tuple', items: this.#popMany(3) }),
    [opcode.EMPTY_LIST]: () => this.#push({ kind: 'list', items: [] }),
    [opcode.APPEND]: () => this.#append(this.#popMany(1)),
    [opcode.APPENDS]: () => this.#append(this.#sinceMark()),
    [opcode.EMPTY_DICT]: () => this.#push({ kind: 'dict', entries: new Map(), hasState: false }),
    [opcode.SETITEM]: () => this.#setItems(this.#popMany(2)),
    [opcode.SETITEMS]: () => this.#setItems(this.#sinceMark()),
    [opcode.BINPUT]: () => this.#remember(this.#uint8()),
    [opcode.LONG_BINPUT]: () => this.#remember(this.#take(4).readUInt32LE()),
    [opcode.MEMOIZE]: () => this.#remember(this.#memo.size),
    [opcode.BINGET]: () => this.#recall(this.#uint8()),
    [opcode.LONG_BINGET]: () => this.#recall(this.#take(4).readUInt32LE()),
    [opcode.GLOBAL]: () => this.#global([this.#line(), this.#line()]),
    [opcode.STACK_GLOBAL]: () => this.#global(this.#popMany(2)),
    [opcode.REDUCE]: () => this.#reduce(),
    [opcode.BUILD]: () => this.#build(),
    [opcode.BINPERSID]: () => this.#push(this.#host.persistent(this.#pop())),
  };

  #mark(): void {
    if (this.#marked.length >= pickleLimits.depth)
      throw new PickleProblem('limit', `nested more than ${pickleLimits.depth} deep`);
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw malformed('it takes a value where there is none');
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw malformed('it takes a value where there is none');
    return this.#stack.splice(-count);
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw malformed('it takes a value where there is none');
    return value;
  }

  #sinceMark(): PickleValue[] {
    const values = this.#stack;
    const below = this.#marked.pop();
    if (!below) throw malformed('it goes back to a mark where there is none');
    this.#stack = below;
    return values;
  }

  #append(values: readonly PickleValue[]): void {
    const list = this.#top();
    if (typeof list !== 'object' || list?.kind !== 'list') throw malformed('it appends to what is no list');
    for (const value of values) list.items.push(value);
  }

  #setItems(pairs: readonly PickleValue[]): void {
    const dict = this.#top();
    if (typeof dict !== 'object' || dict?.kind !== 'dict') throw malformed('it sets items of what is no dictionary');
    if (pairs.length % 2 !== 0) throw malformed('a key without a value');
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i] as PickleValue;
      if (typeof key === 'object' && key !== null) throw malformed('a key that is neither text nor number');
      dict.entries.set(key, pairs[i + 1] as PickleValue);
    }
  }

  #remember(index: number): void {
    if (this.#memo.size >= pickleLimits.memo && !this.#memo.has(index))
      throw new PickleProblem('limit', `more than ${pickleLimits.memo} remembered values`);
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw malformed(`it recalls value ${index}, which it did not remember`);
    this.#push(value);
  }

  #global([module, name]: readonly PickleValue[]): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw malformed('a name that is not text');
    const known = this.#host.globals.get(`${module} ${name}`);
    if (!known) throw new PickleProblem('refused', `it asks for ${show(`${module}.${name}`)}`);
    this.#push(known);
  }

  #reduce(): void {
    const [callee, args] = this.#popMany(2);
    if (typeof callee !== 'object' || callee?.kind !== 'global' || !callee.call)
      throw new PickleProblem('refused', `it calls ${isGlobal(callee) ? show(callee.name) : 'what is no function'}`);
    if (typeof args !== 'object' || args?.kind !== 'tuple') throw malformed('arguments that are no tuple');
    this.#push(callee.call(args.items));
  }

  /** Attributes of an OrderedDict (a state dict carries version numbers there) are dropped. */
  #build(): void {
    const state = this.#pop();
    const target = this.#top();
    const isState = typeof state === 'object' && state?.kind === 'dict';
    const mayHaveState = typeof target === 'object' && target?.kind === 'dict' && target.hasState;
    if (!isState || !mayHaveState) throw new PickleProblem('refused', 'it sets the state of an object (BUILD)');
  }

  #take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw malformed('it ends too early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #uint8(): number {
    return this.#take(1).readUInt8();
  }

  #long(): number {
    const count = this.#uint8();
    if (count > 8) throw malformed('a number of more than 64 bits');
    const bytes = this.#take(count);
    if (count === 0) return 0;
    let value = BigInt(bytes.readInt8(count - 1));
    for (let i = count - 2; i >= 0; i--) value = value * 256n + BigInt(bytes[i] as number);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw malformed(`the number ${value}`);
    return number;
  }

  #text(byteLength: number): string {
    if (byteLength > pickleLimits.textBytes)
      throw new PickleProblem('limit', `a text of ${byteLength} bytes, more than ${pickleLimits.textBytes}`);
    try {
      return decoder.decode(this.#take(byteLength));
    } catch (cause) {
      throw cause instanceof PickleProblem ? cause : malformed('a text that is not UTF-8');
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0 || end - this.#at > 256) throw malformed('a name without an end');
    const line = this.#text(end - this.#at);
    this.#at = end + 1;
    return line;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const isGlobal = (value: PickleValue | undefined): value is PickleGlobal =>
  typeof value === 'object' && value !== null && value.kind === 'global';

const show = (name: string): string => JSON.stringify(name.slice(0, 120));

function malformed(what: string): PickleProblem {
  return new PickleProblem('malformed', what);
}
