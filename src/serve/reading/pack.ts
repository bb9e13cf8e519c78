import { Deserializer, Serializer } from 'node:v8';

/** Value of any kind that structured cloning takes; arrays of numbers lie beside it, so that none of their bytes is copied. */
export interface Packed {
  /** The value without the bytes of its arrays. */
  readonly plain: Uint8Array;
  readonly arrays: readonly Uint8Array[];
}

type View = Uint8Array | Float32Array | Int32Array;
const KINDS = [Uint8Array, Float32Array, Int32Array] as const;

/** The methods for views, which the types of Node.js leave out (node:v8, "serializer._writeHostObject"). */
interface Hooks {
  _setTreatArrayBufferViewsAsHostObjects(flag: boolean): void;
}

class Packer extends Serializer {
  readonly arrays: Uint8Array[] = [];

  constructor() {
    super();
    (this as unknown as Hooks)._setTreatArrayBufferViewsAsHostObjects(true);
  }

  _writeHostObject(view: ArrayBufferView): void {
    const kind = KINDS.findIndex((Kind) => view instanceof Kind);
    if (kind < 0) throw new Error(`no message holds a ${view.constructor.name}`);
    this.writeUint32(kind);
    this.writeUint32(this.arrays.length);
    this.arrays.push(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength));
  }
}

class Unpacker extends Deserializer {
  readonly #arrays: readonly Uint8Array[];

  constructor({ plain, arrays }: Packed) {
    super(plain);
    this.#arrays = arrays;
  }

  _readHostObject(): View {
    const Kind = KINDS[this.readUint32()]!;
    const { buffer, byteOffset, byteLength } = this.#arrays[this.readUint32()]!;
    return new Kind(buffer as ArrayBuffer, byteOffset, byteLength / Kind.BYTES_PER_ELEMENT);
  }
}

export function pack(value: unknown): Packed {
  const packer = new Packer();
  packer.writeHeader();
  packer.writeValue(value);
  return { plain: packer.releaseBuffer(), arrays: packer.arrays };
}

/** Arrays are views of those of `packed`, each of which begins at a multiple of eight bytes. */
export function unpack(packed: Packed): unknown {
  const unpacker = new Unpacker(packed);
  unpacker.readHeader();
  return unpacker.readValue();
}
