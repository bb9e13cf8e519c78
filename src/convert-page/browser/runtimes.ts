import { readTflite } from '../../formats/tflite/read.ts';
import type { AnsweringModel, Runtimes } from '../../convert/compare.ts';
import type { OrtModule } from '../../convert/runtime.ts';
import { openCompiled } from '../../runtime/litert/compiled.ts';
import type { LoadedLiteRt } from '../../runtime/litert/compiled.ts';
import { modelEnds } from '../../runtime/litert/ends.ts';
import { rowsRunner } from '../../ship/parity/tflite-rows.ts';

/** Folder of the page's files, as the address of this module has it. */
const APP = new URL('../../', import.meta.url).href;

interface Ort extends OrtModule {
  readonly env: { readonly wasm: { numThreads: number; wasmPaths: string }; logLevel: string };
}

interface LiteRtModule {
  readonly Tensor: LoadedLiteRt['core']['Tensor'];
  readonly loadLiteRt: (folder: string) => Promise<LoadedLiteRt['litert']>;
}

interface WorkerScope {
  importScripts?: (address: string) => void;
  ModuleFactory?: (options: object) => unknown;
}

let loading: Promise<Runtimes> | undefined;

/** The runtimes that lie beside the page, loaded once; a runtime that is missing is undefined. */
export function runtimesHere(missing: readonly string[]): Promise<Runtimes> {
  return (loading ??= load(missing));
}

async function load(missing: readonly string[]): Promise<Runtimes> {
  const has = (name: string): boolean => !missing.includes(name);
  return {
    onnx: has('onnxruntime-web') ? await loadOrt() : undefined,
    tflite: has('@litertjs/core') ? openerOf(await loadLiteRt()) : undefined,
  };
}

async function loadOrt(): Promise<OrtModule> {
  const ort = (await import(`${APP}ort/ort.wasm.bundle.min.mjs`)) as Ort;
  // More threads need shared memory, which a server of files does not allow; and calibration is the same for any machine.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = `${APP}ort/`;
  return ort;
}

async function loadLiteRt(): Promise<LoadedLiteRt> {
  const messages: string[] = [];
  const keep = (line: string): unknown => messages.push(line);
  const scope = globalThis as unknown as WorkerScope;
  const { importScripts } = scope;
  // The library loads its glue by importScripts; its messages are kept instead of printed.
  scope.importScripts = (address) => {
    importScripts!.call(globalThis, address);
    const made = scope.ModuleFactory!;
    scope.ModuleFactory = (options) => made({ ...options, print: keep, printErr: keep });
  };
  try {
    const core = (await import(`${APP}litert/index.js`)) as LiteRtModule;
    return { core, litert: await core.loadLiteRt(`${APP}litert/wasm/`), messages };
  } finally {
    scope.importScripts = importScripts!;
  }
}

function openerOf(loaded: LoadedLiteRt): (bytes: Uint8Array) => Promise<AnsweringModel> {
  return async (bytes) => rowsRunner(await openCompiled(loaded, bytes, modelEnds(readTflite(bytes))));
}
