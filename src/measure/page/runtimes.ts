import type { Skipped } from '../../base/skipped.ts';
import type { PlannedInput } from './protocol.ts';
import type { Session } from './timing.ts';

/** Browser globals that this file uses; it runs in the browser. */
declare const navigator: { readonly hardwareConcurrency: number; readonly gpu?: Gpu };
declare const crossOriginIsolated: boolean;
declare const isSecureContext: boolean;
declare const document: { readonly baseURI: string };

interface Gpu {
  requestAdapter(): Promise<{ readonly info?: { isFallbackAdapter?: boolean; architecture?: string } } | null>;
}

interface Ort {
  readonly env: { wasm: { numThreads?: number }; logLevel?: string };
  readonly Tensor: new (type: string, data: ArrayBufferView, shape: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: object): Promise<{ run(feeds: object): Promise<unknown>; release(): unknown }>;
  };
}

interface LiteRtTensor {
  data(): Promise<unknown>;
  delete(): void;
}

interface LiteRt {
  readonly Tensor: new (data: ArrayBufferView, shape: readonly number[]) => LiteRtTensor;
  loadLiteRt(path: string): Promise<unknown>;
  loadAndCompile(
    bytes: Uint8Array,
    options: object,
  ): Promise<{
    readonly isFullyAccelerated: boolean;
    run(inputs: object): Promise<Record<string, LiteRtTensor>>;
    delete(): void;
  }>;
}

export interface PageRuntime {
  readonly name: string;
  readonly format: 'onnx' | 'tflite';
  readonly threads: number;
  open(bytes: Uint8Array, inputs: readonly PlannedInput[]): Promise<Session>;
}

/** Every runtime available in this browser, and reasons for the missing ones. */
export async function findRuntimes(
  formats: ReadonlySet<string>,
  threads: readonly number[],
): Promise<{ found: PageRuntime[]; skipped: Skipped[] }> {
  const skipped: Skipped[] = [];
  const found: PageRuntime[] = [];
  const gpu = await hasGpu(skipped);
  if (formats.has('onnx')) {
    for (const count of threads) {
      const why = tooMany(count);
      if (why === undefined) await attempt(() => ortWasm(count), 'onnxruntime-web', found, skipped);
      else skipped.push({ what: `onnxruntime-web on ${count} threads`, why });
    }
    if (gpu) await attempt(ortWebGpu, 'onnxruntime-web-webgpu', found, skipped);
  }
  if (formats.has('tflite')) {
    await attempt(() => liteRt('wasm'), 'litert-web', found, skipped);
    if (gpu) await attempt(() => liteRt('webgpu'), 'litert-web-webgpu', found, skipped);
  }
  return { found, skipped };
}

async function attempt(open: () => Promise<PageRuntime>, what: string, found: PageRuntime[], skipped: Skipped[]) {
  try {
    found.push(await open());
  } catch (error) {
    skipped.push({ what, why: error instanceof Error ? error.message : String(error) });
  }
}

function tooMany(count: number): string | undefined {
  if (count === 1) return undefined;
  if (!crossOriginIsolated) return 'threads need a page over https or from the same machine';
  return count > navigator.hardwareConcurrency ? `there are ${navigator.hardwareConcurrency} cores` : undefined;
}

async function hasGpu(skipped: Skipped[]): Promise<boolean> {
  const because = (why: string): false => {
    skipped.push({ what: 'WebGPU', why });
    return false;
  };
  if (navigator.gpu === undefined) {
    return because(isSecureContext ? 'this browser has none' : 'it needs a page over https or from the same machine');
  }
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (adapter === null) return because('the browser finds no adapter');
  const isSoftware = adapter.info?.isFallbackAdapter === true || adapter.info?.architecture === 'swiftshader';
  return isSoftware ? because('the only adapter is software') : true;
}

/** A module instance for each number of threads, which cannot be changed later. */
async function ortWasm(threads: number): Promise<PageRuntime> {
  const ort = await load<Ort>(`assets/ort/ort.wasm.bundle.min.mjs?threads=${threads}`);
  ort.env.wasm.numThreads = threads;
  return ortRuntime(ort, 'onnxruntime-web', threads, 'wasm');
}

async function ortWebGpu(): Promise<PageRuntime> {
  return ortRuntime(await load<Ort>('assets/ort/ort.webgpu.bundle.min.mjs'), 'onnxruntime-web-webgpu', 1, 'webgpu');
}

function ortRuntime(ort: Ort, name: string, threads: number, provider: string): PageRuntime {
  ort.env.logLevel = 'error';
  return {
    name,
    format: 'onnx',
    threads,
    open: async (bytes, inputs) => {
      const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
      const feeds = Object.fromEntries(
        inputs.map((input) => [input.name, new ort.Tensor(input.dtype, noise(input), input.shape)]),
      );
      return { run: () => session.run(feeds), close: () => session.release() };
    },
  };
}

async function liteRt(accelerator: 'wasm' | 'webgpu'): Promise<PageRuntime> {
  const core = await load<LiteRt>('assets/litert/index.js');
  await (loading ??= core.loadLiteRt(urlOf('assets/litert/wasm/')));
  return {
    name: accelerator === 'wasm' ? 'litert-web' : 'litert-web-webgpu',
    format: 'tflite',
    threads: 1,
    open: async (bytes, inputs) => {
      const model = await core.loadAndCompile(bytes, { accelerator });
      if (accelerator === 'webgpu' && !model.isFullyAccelerated) {
        model.delete();
        throw new Error('not all of the model runs on the GPU');
      }
      const values = inputs.map((input) => ({ ...input, data: noise(input) }));
      const run = async (): Promise<void> => {
        const feeds = Object.fromEntries(values.map(({ name, data, shape }) => [name, new core.Tensor(data, shape)]));
        const results = await model.run(feeds);
        for (const tensor of Object.values(results)) await tensor.data();
        for (const tensor of [...Object.values(feeds), ...Object.values(results)]) tensor.delete();
      };
      return { run, close: () => model.delete() };
    },
  };
}

let loading: Promise<unknown> | undefined;

const ARRAYS: Readonly<Record<string, new (size: number) => ArrayBufferView>> = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  int16: Int16Array,
};

/** Integers are zeros, which are valid indexes of any table. */
function noise({ dtype, shape, isIds = false }: PlannedInput): ArrayBufferView {
  const data = new ARRAYS[dtype]!(shape.reduce((product, size) => product * size, 1));
  // Values do not affect latency, except denormals on some processors.
  if (data instanceof Float32Array) for (let i = 0; i < data.length; i++) data[i] = isIds ? 1 : Math.sin(i + 1);
  return data;
}

function urlOf(file: string): string {
  return new URL(file, document.baseURI).href;
}

async function load<T>(file: string): Promise<T> {
  return (await import(urlOf(file))) as T;
}
