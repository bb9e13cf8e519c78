import { versionOf } from '../base/process/packages.ts';
import { DEFAULT_ENGINE } from '../recipe/engines.ts';
import type { EngineName } from '../recipe/engines.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Engine } from './engine.ts';
import type { EngineStatus } from './engine-status.ts';
import { createOnnxRuntimeEngine } from './onnxruntime/engine.ts';
import { createTensorFlowEngine, locateTensorFlow, tensorFlowStatus } from './tensorflow/engine.ts';

interface EngineRow {
  /** Creates the engine; `UserError` if this machine cannot run it on the device. */
  readonly create: (settings: Pick<Recipe, 'device' | 'threads' | 'stepsPerCall'>) => Engine;
  /** Usability on this machine. Loads the library if it is installed. */
  readonly status: () => EngineStatus;
  /** `UserError` if the library is not installed; loads nothing. Absent if Limbeck's packages bring the library. */
  readonly refuseMissing?: () => void;
}

/** All engines, by the names that recipes call them by. */
export const engines: Readonly<Record<EngineName, EngineRow>> = {
  onnxruntime: {
    create: ({ device, threads, stepsPerCall }) => createOnnxRuntimeEngine({ device, threads, stepsPerCall }),
    status: () => ({ usable: true, reason: `onnxruntime-node ${versionOf('onnxruntime-node')}` }),
  },
  tensorflow: {
    create: ({ device, threads }) => createTensorFlowEngine(device, threads),
    status: tensorFlowStatus,
    refuseMissing: () => void locateTensorFlow(),
  },
};

/** Row of the engine that a recipe asks for. */
export function engineRow(engine: Recipe['engine']): EngineRow {
  return engines[engine === 'auto' ? DEFAULT_ENGINE : engine];
}
