import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { compileFunction } from 'node:vm';
import { needPackages } from '../../base/process/packages.ts';
import { openCompiled } from './compiled.ts';
import type { LoadedLiteRt } from './compiled.ts';
import type { TfliteEnds } from './ends.ts';
import { Kept } from './kept.ts';
import type { TfliteSession } from './session.ts';

/** Lines that the library prints while it compiles or runs a model. */
const messages: string[] = [];
const loaded = new Kept<'litert', LoadedLiteRt>();

/** Opens a model with LiteRT's WebAssembly build, which is loaded at the first call. */
export async function openWasm(bytes: Uint8Array, ends: TfliteEnds): Promise<TfliteSession> {
  return openCompiled(await loaded.get('litert', loadOnce), bytes, ends);
}

/** Loads LiteRT.js, which is written for browsers: it gets the few globals that it needs, and its glue code through `importScripts`. */
async function loadOnce(): Promise<LoadedLiteRt> {
  needPackages('TFLite files', ['@litertjs/core']);
  const scope = globalThis as unknown as Record<string, unknown>;
  const before = { self: scope.self, importScripts: scope.importScripts };
  scope.self = globalThis;
  scope.importScripts = (file: string) => (scope.ModuleFactory = quiet(commonJs(file) as Factory));
  scope.navigator ??= { hardwareConcurrency: 1 };
  scope.GPUBuffer ??= function GPUBuffer(): void {};
  scope.ReadableStreamDefaultReader ??= function ReadableStreamDefaultReader(): void {};
  try {
    const core = await import('@litertjs/core');
    const folder = path.join(path.dirname(createRequire(import.meta.url).resolve('@litertjs/core')), '..', 'wasm');
    const litert = await quietly(() => core.loadLiteRt(folder + path.sep));
    return { core, litert, messages };
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(scope, name);
      else scope[name] = value;
    }
  }
}

type Factory = (options: object) => unknown;

/** Collects the library's messages instead of printing them. */
function quiet(factory: Factory): Factory {
  const keep = (line: string): unknown => messages.push(line);
  return (options) => factory({ ...options, print: keep, printErr: keep });
}

/** Exports of a CommonJS file in a package declared as ES module, which `require` refuses. */
function commonJs(file: string): unknown {
  const module = { exports: {} };
  const run = compileFunction(readFileSync(file, 'utf8'), ['module', 'exports', 'require', '__filename', '__dirname'], {
    filename: file,
  }) as (...args: unknown[]) => void;
  run(module, module.exports, createRequire(file), file, path.dirname(file));
  return module.exports;
}

/* oxlint-disable no-console -- LiteRT.js prints a warning and an error's stack when there is no WebGPU device */
async function quietly<T>(action: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return await action();
  } finally {
    console.warn = warn;
  }
}
