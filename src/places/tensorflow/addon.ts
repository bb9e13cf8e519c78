import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { KernelBackend, NamedTensorMap } from '@tensorflow/tfjs-core';
import { prepareTensorFlow } from '../../base/process/environment.ts';
import { UserError } from '../../base/errors.ts';
import { locate, MADE } from './locate.ts';
import type { FoundLibrary } from './locate.ts';

/** The used part of tfjs-node's addon. */
interface Addon {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
}

interface BackendModule {
  readonly NodeJSKernelBackend: new (binding: Addon, packageName: string) => KernelBackend;
}

export interface TensorFlowLibrary {
  readonly backend: KernelBackend;
  /** Version of libtensorflow, such as `2.19.0`. */
  readonly version: string;
  readonly gpu: boolean;
  /** tfjs-node's loader of SavedModels. */
  readonly loadSavedModel: (folder: string, tags: string[], signature: string) => Promise<TfSavedModel>;
  readonly metaGraphsOf: (folder: string) => Promise<readonly MetaGraph[]>;
}

interface MetaGraph {
  readonly tags: readonly string[];
  readonly signatureDefs: Readonly<Record<string, SignatureDef>>;
}

export interface SignatureDef {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
}

export interface TensorInfo {
  readonly dtype: string;
  readonly shape: readonly { array?: readonly unknown[]; getSize(): number }[];
}

export interface TfSavedModel {
  predict(inputs: NamedTensorMap): NamedTensorMap;
  dispose(): void;
}

interface SavedModelModule {
  readonly loadSavedModel: TensorFlowLibrary['loadSavedModel'];
  readonly getMetaGraphsFromSavedModel: TensorFlowLibrary['metaGraphsOf'];
}

export interface SavedModelOptions {
  /** Threads of an op; 0 or absent: one per core. */
  readonly threads?: number;
  /** Compute on the first GPU if there is one. Default true. */
  readonly gpu?: boolean;
}

let loaded: TensorFlowLibrary | undefined;

/**
 * Loads libtensorflow with tfjs-node's backend and kernels, once per process: options of later calls are ignored. `UserError` if it is not installed.
 */
export function loadTensorFlow(options: SavedModelOptions = {}): TensorFlowLibrary {
  return (loaded ??= load(locate(), options));
}

function load({ packageName, folder, addon }: FoundLibrary, options: SavedModelOptions): TensorFlowLibrary {
  const require = createRequire(path.join(folder, 'package.json'));
  restoreRemovedUtilities(require('node:util') as Record<string, unknown>);
  prepareTensorFlow(options);
  shareCore(require, folder);
  try {
    const binding = require(addon) as Addon;
    require('./dist/register_all_kernels.js');
    const { NodeJSKernelBackend } = require('./dist/nodejs_kernel_backend.js') as BackendModule;
    const savedModels = require('./dist/saved_model.js') as SavedModelModule;
    return {
      backend: new NodeJSKernelBackend(binding, packageName),
      version: binding.TF_Version,
      gpu: binding.isUsingGpuDevice(),
      loadSavedModel: savedModels.loadSavedModel,
      metaGraphsOf: savedModels.getMetaGraphsFromSavedModel,
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `engine tensorflow: ${addon} cannot be loaded: ${text.split('\n', 1)[0]!}`,
      'Build it again: npm run setup:tensorflow -- --clean, then npm run setup:tensorflow.',
      { cause: error },
    );
  }
}

/** Package that tfjs-node loads, which is not our dependency. */
const WHOLE = '@tensorflow/tfjs';

/**
 * tfjs-node loads all of tfjs but uses only its core, so the set-up replaces tfjs by a file that loads the core installed beside it. If `.venv` links
 * to another clone's set-up, that is a second core, which registers everything again with warnings: it is replaced by this process' core.
 */
function shareCore(require: NodeJS.Require, folder: string): void {
  const alias = path.join(folder, '..', 'tfjs', 'index.js');
  if (!existsSync(alias) || !folder.includes(MADE)) return;
  const file = require.resolve(WHOLE);
  const tfjsCore = createRequire(import.meta.url)('@tensorflow/tfjs-core') as unknown;
  require.cache[file] = { id: file, filename: file, loaded: true, exports: tfjsCore } as NodeJS.Module;
}

/** tfjs-node 4.22 calls two functions that Node 23 removed: https://github.com/tensorflow/tfjs/issues/8609 */
function restoreRemovedUtilities(util: Record<string, unknown>): void {
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= (value: unknown) => Array.isArray(value);
}
