import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileFunction } from 'node:vm';
import type { LiteRt, Tensor as LiteRtTensor } from '@litertjs/core';
import { UserError } from '../../base/errors.ts';
import type { TfliteSession } from '../litert.ts';
import { fed } from './ends.ts';
import type { Ends } from './ends.ts';

type Core = typeof import('@litertjs/core');

const ENDS = ['float32', 'int32', 'uint8'];

/** Opens a model with LiteRT's WebAssembly build, which is loaded at the first call. */
export async function openWasm(bytes: Uint8Array, ends: Ends): Promise<TfliteSession> {
  for (const { name, dtype } of [...ends.inputs, ...ends.outputs]) {
    if (!ENDS.includes(dtype))
      throw new UserError(
        `${name} is ${dtype}, which LiteRT for WebAssembly does not take`,
        'Export with float32 or uint8 ends, or use the native runtime.',
      );
  }
  const { core, litert } = await load();
  const model = await litert.loadAndCompile(bytes, { accelerator: 'wasm' }).catch((error: unknown) => {
    throw new UserError(
      `LiteRT cannot run the model: ${String(error)}`,
      'See which operators it has: limbeck inspect.',
    );
  });
  return {
    ...ends,
    runtime: 'litert',
    run: async (feeds) => {
      const inputs = ends.inputs.map((end) => {
        const { data, shape } = fed(end, feeds);
        return [end.name, new core.Tensor(data as Float32Array, shape)] as const;
      });
      const given = Object.fromEntries(inputs);
      let results: Record<string, LiteRtTensor> = {};
      try {
        results = await model.run(given);
        return Object.fromEntries(ends.outputs.map(({ name }) => [name, results[name]!.toTypedArray().slice()]));
      } finally {
        for (const tensor of [...Object.values(given), ...Object.values(results)]) tensor.delete();
      }
    },
    dispose: () => model.delete(),
  };
}

let loading: Promise<{ core: Core; litert: LiteRt }> | undefined;

async function load(): Promise<{ core: Core; litert: LiteRt }> {
  loading ??= loadOnce();
  return loading;
}

/** LiteRT.js is written for browsers: it gets the few globals that it looks for, and its glue code through `importScripts`. */
async function loadOnce(): Promise<{ core: Core; litert: LiteRt }> {
  const scope = globalThis as unknown as Record<string, unknown>;
  const before = { self: scope.self, importScripts: scope.importScripts };
  scope.self = globalThis;
  scope.importScripts = (file: string) => (scope.ModuleFactory = commonJs(file));
  scope.navigator ??= { hardwareConcurrency: 1 };
  scope.GPUBuffer ??= class GPUBuffer {};
  scope.ReadableStreamDefaultReader ??= class ReadableStreamDefaultReader {};
  try {
    const core = await import('@litertjs/core');
    const folder = path.join(path.dirname(createRequire(import.meta.url).resolve('@litertjs/core')), '..', 'wasm');
    const litert = await quietly(() => core.loadLiteRt(folder + path.sep));
    return { core, litert };
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(scope, name);
      else scope[name] = value;
    }
  }
}

/** The exports of a CommonJS file inside a package that calls itself an ES module, where `require` refuses it. */
function commonJs(file: string): unknown {
  const module = { exports: {} };
  const run = compileFunction(readFileSync(file, 'utf8'), ['module', 'exports', 'require', '__filename', '__dirname'], {
    filename: file,
  }) as (...args: unknown[]) => void;
  run(module, module.exports, createRequire(file), file, path.dirname(file));
  return module.exports;
}

/** Without the warning that there is no WebGPU device. */
async function quietly<T>(action: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return await action();
  } finally {
    console.warn = warn;
  }
}
