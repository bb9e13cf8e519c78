/** The part of WebAssembly's JavaScript interface that is used here; TypeScript has its types only among those of browsers. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

type Exports = Readonly<Record<string, (...args: readonly number[]) => void>>;

interface Wasm {
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
}

const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm };

const PAGE = 65536;
/** Limit of what 32 bits address. */
const MOST_BYTES = 65535 * PAGE;

/** Zeroed memory of `bytes` bytes; undefined if that exceeds the limit of WebAssembly. The system provides a page when it is first written. */
export function wasmMemory(bytes: number): WasmMemory | undefined {
  if (bytes > MOST_BYTES) return undefined;
  const pages = Math.max(1, Math.ceil(bytes / PAGE));
  try {
    return new wasm.Memory({ initial: pages, maximum: pages });
  } catch {
    return undefined;
  }
}

/** The functions of a module over this memory. */
export function wasmFunctions(module: Uint8Array<ArrayBuffer>, memory: WasmMemory): Exports {
  return new wasm.Instance(new wasm.Module(module), { env: { memory } }).exports;
}
