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

let ort: Promise<OrtModule> | undefined;
let litert: Promise<LoadedLiteRt> | undefined;

/** The runtimes that lie beside the page, each loaded once; LiteRT only for TFLite files. A runtime that is missing is undefined. */
export async function runtimesHere(to: 'onnx' | 'tflite', missing: readonly string[]): Promise<Runtimes> {
  const has = (name: string): boolean => !missing.includes(name);
  const onnx = has('onnxruntime-web') ? await (ort ??= loadOrt()) : undefined;
  const tflite = to === 'tflite' && has('@litertjs/core') ? openerOf(await (litert ??= loadLiteRt())) : undefined;
  return { onnx, tflite };
}

async function loadOrt(): Promise<OrtModule> {
  const module = (await import(`${APP}ort/ort.wasm.bundle.min.mjs`)) as Ort;
  // More threads need shared memory, which a server of files does not allow; and calibration is the same for any machine.
  module.env.wasm.numThreads = 1;
  module.env.wasm.wasmPaths = `${APP}ort/`;
  return module;
}

async function loadLiteRt(): Promise<LoadedLiteRt> {
  const messages: string[] = [];
  const keep = (line: string): unknown => messages.push(line);
  // In a worker of a `blob:` the library does not know where its files lie.
  const locateFile = (file: string): string => `${APP}litert/wasm/${file}`;
  const scope = globalThis as unknown as WorkerScope;
  const { importScripts } = scope;
  // The library loads its glue by importScripts; its messages are kept instead of printed.
  scope.importScripts = (address) => {
    importScripts!.call(globalThis, address);
    const made = scope.ModuleFactory!;
    scope.ModuleFactory = (options) => made({ ...options, print: keep, printErr: keep, locateFile });
  };
  // It warns where there is no WebGPU, which the page does not use.
  /* oxlint-disable no-console -- the library's own warning */
  const { warn } = console;
  console.warn = () => undefined;
  try {
    const core = (await import(`${APP}litert/index.js`)) as LiteRtModule;
    return { core, litert: await core.loadLiteRt(`${APP}litert/wasm/`), messages };
  } finally {
    console.warn = warn;
    scope.importScripts = importScripts!;
  }
}

function openerOf(loaded: LoadedLiteRt): (bytes: Uint8Array) => Promise<AnsweringModel> {
  return async (bytes) => rowsRunner(await openCompiled(loaded, bytes, modelEnds(readTflite(bytes))));
}
