import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { printType } from '../../graph/print.ts';
import { staticShape, staticSize } from '../../graph/shapes.ts';
import type { Graph, TensorData, TensorType } from '../../graph/types.ts';
import { registerGradients } from '../../trace/gradients/gradients.ts';
import { install } from '../../trace/install.ts';
import type { StepProgram } from '../../trace/program.ts';
import { RANDOM_PREFIX, withRandomSource } from '../../trace/random.ts';
import { traceProgram } from '../../trace/trace.ts';
import type { CompiledStep, CompileOptions, Engine, State } from '../../runtime/engine.ts';
import type { EngineStatus } from '../../runtime/engine-status.ts';
import type { EngineRow } from '../../runtime/engines.ts';
import { fillRandom } from '../../runtime/randoms.ts';
import { allocate, holds } from '../../runtime/onnxruntime/session.ts';
import { loadTensorFlow } from './addon.ts';
import { tensorFlowRemedy } from './remedy.ts';
import { TensorStore } from './store.ts';

/** Name of tfjs-node's backend in tfjs. */
const BACKEND = 'tensorflow';

/** Runs step programs op by op on libtensorflow, through `@tensorflow/tfjs-node-gpu`: an independent check of every number. */
export class TensorFlowEngine implements Engine {
  readonly name = 'tensorflow';
  readonly device: 'cpu' | 'cuda';
  /** Version of libtensorflow. */
  readonly version: string;

  /** `UserError` if it is not installed, or lacks the GPU that `cuda` asks for. `threads`: per op; 0: one per core. */
  constructor(device: string = 'auto', threads = 0) {
    const { backend, version, gpu } = loadTensorFlow({ threads, gpu: device !== 'cpu' });
    this.version = version;
    this.device = gpu ? 'cuda' : 'cpu';
    if (device !== 'auto' && device !== this.device)
      throw new UserError(
        `engine tensorflow: expected device auto or ${this.device}, which is what its library found, received ${device}`,
        device === 'cuda'
          ? 'Install the library for CUDA: npm run setup:tensorflow -- --cuda'
          : 'Leave device out, or use --engine onnxruntime.',
      );
    register(backend);
  }

  async compile(program: StepProgram, options?: CompileOptions): Promise<CompiledStep> {
    if (options?.precision === 'mixed')
      throw new UserError(
        'engine tensorflow: expected precision full, received mixed',
        'Use --engine onnxruntime, or leave precision out.',
      );
    // The trace checks the program and finds its random feeds and the types of its results.
    const graph = traceProgram(program);
    const initial = new Map<string, TensorData>();
    for (const name of graph.state.keys()) initial.set(name, await program.state[name]!.data());
    return new TensorFlowStep(program, graph, initial, options);
  }
}

/** Usability and version of the engine here, or the reason. Loads the library if it is installed. */
export function tensorFlowStatus(): EngineStatus {
  try {
    const { version, gpu } = loadTensorFlow();
    const remedy = tensorFlowRemedy(gpu, existsSync('/dev/nvidiactl'));
    return { usable: true, reason: `libtensorflow ${version} on ${gpu ? 'cuda' : 'cpu'}`, remedy };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { usable: false, reason: error.message.replace(/^engine tensorflow: /, ''), remedy: error.hint };
  }
}

/** What opens the engine of recipes with `engine: tensorflow`. */
export const engine: EngineRow = {
  create: ({ device, threads }) => createTensorFlowEngine(device, threads),
  status: tensorFlowStatus,
};

/** `UserError` if it is not installed or lacks the device. */
export function createTensorFlowEngine(device?: string, threads?: number): TensorFlowEngine {
  return new TensorFlowEngine(device, threads);
}

function register(backend: tf.KernelBackend): void {
  if (tf.findBackend(BACKEND) !== null) return;
  install();
  tf.registerBackend(BACKEND, () => backend, 0);
  // tfjs-node may have replaced our gradients by tfjs'.
  registerGradients();
}

class TensorFlowStep implements CompiledStep {
  readonly inputs: ReadonlyMap<string, TensorType>;
  readonly outputs: ReadonlyMap<string, TensorType>;
  readonly store: TensorStore;
  readonly #program: StepProgram;
  readonly #variables: StepProgram['state'];
  readonly #names: ReadonlySet<string>;
  readonly #randomKey: readonly (string | number)[];
  readonly #randomsPerSample: ReadonlyMap<string, number>;
  readonly #random: boolean;
  #disposed = false;

  constructor(
    program: StepProgram,
    graph: Graph,
    initial: ReadonlyMap<string, TensorData>,
    options: CompileOptions = {},
  ) {
    const inputs = [...graph.inputs];
    this.#program = program;
    this.#names = new Set(graph.state.keys());
    this.#variables = Object.fromEntries([...this.#names].map((name) => [name, program.state[name]!]));
    this.#randomKey = options.randomKey ?? [];
    this.#randomsPerSample = options.randomsPerSample ?? new Map<string, number>();
    this.#random = inputs.some(([name]) => name.startsWith(RANDOM_PREFIX));
    this.inputs = new Map(inputs.filter(([name]) => !name.startsWith(RANDOM_PREFIX)));
    this.outputs = new Map([...graph.outputs].map(([name, value]) => [name, graph.types.get(value)!]));
    this.store = sharedStore(options.shareStateWith).open();
    onTensorFlow(() => {
      try {
        for (const [name, type] of graph.state)
          this.store.declare(name, type, () => typedAs(type.dtype, initial.get(name)!));
      } catch (error) {
        this.store.close();
        throw error;
      }
    });
  }

  async run(
    feeds: Readonly<Record<string, TensorData>>,
    step?: number,
    first = 0,
  ): Promise<Readonly<Record<string, TensorData>>> {
    // A turn of the event loop between steps serves timers, signals and loaders.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#disposed) throw new Error('the step is disposed');
    for (const name of Object.keys(feeds)) if (!this.inputs.has(name)) throw new Error(`the step has no input ${name}`);
    if (this.#random && step === undefined) throw new Error('a step with random feeds needs the number of the call');
    const random = (name: string, shape: readonly number[]): Float32Array => {
      const data = new Float32Array(staticSize(shape));
      fillRandom(data, this.#randomKey, step ?? 0, name, first * (this.#randomsPerSample.get(name) ?? 0));
      return data;
    };
    return onTensorFlow(() =>
      tf.tidy(() => {
        const tensors = this.#feed(feeds);
        const results = this.store.within(this.#variables, () =>
          withRandomSource(random, () => this.#program.run(tensors)),
        );
        const values = Object.entries(results).map(([name, tensor]) => [
          name,
          typedAs(this.outputs.get(name)!.dtype, tensor.dataSync()),
        ]);
        // Values computed inside of a gradient are not disposed of by `tidy`.
        for (const tensor of Object.values(results)) if (!(tensor instanceof tf.Variable)) tensor.dispose();
        return Object.fromEntries(values) as Record<string, TensorData> & tf.TensorContainerObject;
      }),
    );
  }

  async state(): Promise<State> {
    return Promise.resolve(onTensorFlow(() => this.store.read(this.#names)));
  }

  async load(state: State): Promise<void> {
    onTensorFlow(() => this.store.load(state, this.#names));
    return Promise.resolve();
  }

  async dispose(): Promise<void> {
    if (!this.#disposed) onTensorFlow(() => this.store.close());
    this.#disposed = true;
    return Promise.resolve();
  }

  /** Feeds of the program; one that it does not read needs no value. */
  #feed(feeds: Readonly<Record<string, TensorData>>): Record<string, tf.Tensor> {
    return Object.fromEntries(
      Object.entries(this.#program.feeds).map(([name, type]) => {
        const data = feeds[name];
        if (data === undefined && this.inputs.has(name)) throw new Error(`the step's input ${name} is not fed`);
        return [name, fed(name, type, data ?? allocate(type.dtype, staticSize(type.shape)))];
      }),
    );
  }
}

function sharedStore(other: CompiledStep | undefined): TensorStore {
  if (other === undefined) return new TensorStore();
  if (!(other instanceof TensorFlowStep)) throw new Error('state can only be shared between steps of one engine');
  return other.store;
}

/** tfjs has float32, int32 and bool; other small integers are passed as int32. */
function fed(name: string, type: TensorType, data: TensorData): tf.Tensor {
  const { dtype, shape } = type;
  if (!holds(dtype, data))
    throw new UserError(
      `input ${name} is ${dtype}, received a ${data.constructor.name}`,
      'Convert the values to that type.',
    );
  const elements = staticSize(shape);
  if (data.length !== elements)
    throw new UserError(
      `input ${name} takes ${elements} values (${printType(type)}), received ${data.length}`,
      'Check the shape of the data against the input shape of the model.',
    );
  const dims = [...staticShape(shape, name)];
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return tf.tensor(data as Float32Array, dims, dtype);
  if (dtype === 'float16' || dtype === 'int64')
    throw new UserError(
      `input ${name} is ${dtype}, which engine tensorflow does not take`,
      'Use --engine onnxruntime.',
    );
  return tf.tensor(Int32Array.from(data as Int8Array), dims, 'int32');
}

/** Converts a result that tfjs-node returns in another kind of array, such as a bool. */
function typedAs(dtype: TensorType['dtype'], data: TensorData): TensorData {
  if (holds(dtype, data)) return data;
  return dtype === 'int32' ? Int32Array.from(data as Float32Array) : Uint8Array.from(data as Float32Array);
}

/** Runs `body` with libtensorflow as tfjs' backend; requires an existing engine. */
export function onTensorFlow<T>(body: () => T): T {
  const engine = tf.engine();
  const before = engine.backendName;
  void engine.setBackend(BACKEND);
  try {
    return body();
  } finally {
    if (before !== undefined && before !== null && before !== BACKEND) void engine.setBackend(before);
  }
}
