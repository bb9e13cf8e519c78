/** The part of WebAssembly's binary format (W3C, core specification 2.0, section 5) that functions over one memory need. */
export interface WasmFunction {
  readonly name: string;
  readonly params: readonly WasmType[];
  readonly locals: readonly WasmType[];
  /** Instructions without the closing `end`. */
  readonly body: readonly number[];
}

export type WasmType = keyof typeof TYPES;

const TYPES = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;

/** A module with these functions as exports. It imports its memory as `env.memory`. No function has results. */
export function encodeModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ params }) => [0x60, ...vector(params.map((type) => [TYPES[type]])), 0]);
  const memory = [...text('env'), ...text('memory'), 2, 0, ...unsigned(0)];
  const bodies = functions.map(({ locals, body }) => {
    const code = [...vector(locals.map((type) => [1, TYPES[type]])), ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(10, vector(bodies)),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): number[] {
  return vector([...new TextEncoder().encode(value)].map((byte) => [byte]));
}

/** LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return bytes;
}
