/** The used part of WebAssembly's JavaScript interface, which TypeScript only types for browsers. */
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
/** Maximum that 32-bit addresses reach. */
const MOST_BYTES = 65535 * PAGE;

/** Zeroed memory; undefined if `bytes` exceeds WebAssembly's limit. The system allocates a page when it is first written. */
export function wasmMemory(bytes: number): WasmMemory | undefined {
  if (bytes > MOST_BYTES) return undefined;
  const pages = Math.max(1, Math.ceil(bytes / PAGE));
  try {
    return new wasm.Memory({ initial: pages, maximum: pages });
  } catch {
    return undefined;
  }
}

/** Instantiates a module with this memory. */
export function wasmFunctions(module: Uint8Array<ArrayBuffer>, memory: WasmMemory): Exports {
  return new wasm.Instance(new wasm.Module(module), { env: { memory } }).exports;
}
