import { Registry } from '../base/registry.ts';
import type { EngineName } from '../recipe/engines.ts';

/** An engine by the name that recipes call it by. */
export interface EngineRoom {
  readonly name: EngineName;
  /** `UserError` if the library is not installed; loads nothing. Absent if Limbeck's packages bring the library. */
  readonly refuseMissing?: () => void;
}

/** Engines: ONNX Runtime, which every run needs, and those that `src/features.ts` names. */
export const engines = new Registry<EngineRoom>('engine');

engines.add(
  { name: 'onnxruntime' },
  { engine: async () => ({ engine: (await import('./onnxruntime/opener.ts')).onnxRuntime }) },
);
