/** Properties of an engine that recipes depend on. `src/runtime/engines.ts` has the other table, of what opens it. */
interface EngineFacts {
  /** Command that installs it; absent if Limbeck's packages bring it. */
  readonly setup?: string;
  /** True if the engine has devices of its own, which ONNX Runtime, the runner of ONNX files beside every engine, may lack. */
  readonly hasOwnDevices: boolean;
}

const ENGINES = {
  onnxruntime: { hasOwnDevices: false },
  tensorflow: { setup: 'npm run setup:tensorflow', hasOwnDevices: true },
} as const satisfies Readonly<Record<string, EngineFacts>>;

/** Name of a library that computes. */
export type EngineName = keyof typeof ENGINES;
export const ENGINE_NAMES = Object.keys(ENGINES) as [EngineName, ...EngineName[]];

/** Engine of a recipe with `engine: auto`. */
export const DEFAULT_ENGINE: EngineName = 'onnxruntime';

/** Devices that a recipe can name. They are ONNX Runtime's; another engine supports some of them. */
export const DEVICES = ['cpu', 'webgpu', 'cuda', 'tensorrt', 'coreml', 'dml'] as const;
export type DeviceName = (typeof DEVICES)[number];

export function engineFacts(engine: EngineName | 'auto'): EngineFacts {
  return ENGINES[engine === 'auto' ? DEFAULT_ENGINE : engine];
}

/** Commands that install the engines which Limbeck's packages do not bring, a sentence for each. */
export function engineSetups(): string {
  return ENGINE_NAMES.flatMap((name) => {
    const { setup } = engineFacts(name);
    return setup === undefined ? [] : [`${name} needs \`${setup}\`.`];
  }).join(' ');
}
