import { versionOf } from '../../base/process/packages.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Engine } from '../engine.ts';
import type { EngineStatus } from '../engine-status.ts';
import { createOnnxRuntimeEngine } from './engine.ts';

/** What opens the engine of recipes with `engine: onnxruntime`. */
export const onnxRuntime = {
  create: ({ device, threads, stepsPerCall }: Pick<Recipe, 'device' | 'threads' | 'stepsPerCall'>): Engine =>
    createOnnxRuntimeEngine({ device, threads, stepsPerCall }),
  status: (): EngineStatus => ({ usable: true, reason: `onnxruntime-node ${versionOf('onnxruntime-node')}` }),
};
