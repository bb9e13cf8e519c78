import { halfProducts } from '../../graph/passes/step/half-products.ts';
import type { Graph, Node, TensorType } from '../../graph/types.ts';
import type { StepProgram } from '../../trace/program.ts';
import { setEvaluator } from '../../trace/evaluate.ts';
import { collectSums } from '../../graph/passes/step/collect-sums.ts';
import { traceProgram } from '../../trace/trace.ts';
import { blockSize } from './block-size.ts';
import type { DeviceName } from '../../recipe/engines.ts';
import { chooseDevice } from './devices/devices.ts';
import type { CompileOptions, Engine, State, StateTensor } from '../engine.ts';
import type { Traffic } from '../../base/events.ts';
import { evaluator } from './evaluator.ts';
import { requireHalf } from './half.ts';
import { InferenceModel } from '../inference.ts';
import type { SessionOptions } from './session.ts';
import { sessionOptions } from './session-choice.ts';
import type { SessionChoice } from './session-choice.ts';
import { OnnxRuntimeStep } from './step.ts';
import { TrafficMeter } from '../traffic.ts';

export interface OnnxRuntimeOptions extends SessionChoice {
  readonly device?: DeviceName | 'auto';
  /** Use ONNX Runtime's blocked convolutions if this CPU has them. Default true; false for comparisons. */
  readonly blocked?: boolean;
  /** Update variables in one pass over memory, on the CPU. Default true; false for comparisons. */
  readonly fused?: boolean;
  /** Steps of a training in one call. Default: 16 on devices where the state is copied in every call, else 1. */
  readonly stepsPerCall?: number | undefined;
}

/** Providers that take and return host memory, and run a loop's body on the device. */
const LOOPING: readonly DeviceName[] = ['cuda', 'tensorrt'];

/** ONNX Runtime in this process, on the cpu or another provider of this machine. */
export class OnnxRuntimeEngine implements Engine {
  readonly name = 'onnxruntime';
  readonly device: DeviceName;
  readonly stepsPerCall: number;
  readonly #session: SessionOptions;
  readonly #blocked: boolean;
  readonly #fused: boolean;
  readonly #meter = new TrafficMeter();

  constructor(options: OnnxRuntimeOptions) {
    this.device = chooseDevice(options.device ?? 'auto');
    this.#blocked = this.device === 'cpu' && options.blocked !== false;
    this.#fused = this.device === 'cpu' && options.fused !== false;
    this.#session = sessionOptions(this.device, options);
    this.stepsPerCall = options.stepsPerCall ?? (LOOPING.includes(this.device) ? 16 : 1);
  }

  get traffic(): Traffic | undefined {
    return this.device === 'cpu' ? undefined : this.#meter.traffic;
  }

  async compile(program: StepProgram, options?: CompileOptions): Promise<OnnxRuntimeStep> {
    const graph = collectSums(traceProgram(program));
    return this.compileGraph(graph, await initialOf(program, graph), options);
  }

  async compilePieces(
    program: StepProgram,
    cut: (graph: Graph) => readonly Graph[],
    options?: CompileOptions,
  ): Promise<OnnxRuntimeStep[]> {
    const graph = collectSums(traceProgram(program));
    const initial = await initialOf(program, graph);
    const pieces: OnnxRuntimeStep[] = [];
    for (const piece of cut(graph)) {
      const [holder] = pieces;
      pieces.push(await this.compileGraph(piece, initial, { ...options, ...(holder && { shareStateWith: holder }) }));
    }
    return pieces;
  }

  /** Loads an ONNX file, such as a teacher or an export; `fileName` is for messages. */
  load(bytes: Uint8Array, fileName: string): InferenceModel {
    return new InferenceModel(bytes, fileName, this.#session);
  }

  /** Compiles a graph of fixed shapes. */
  async compileGraph(graph: Graph, initial: State, options?: CompileOptions): Promise<OnnxRuntimeStep> {
    const mixed = options?.precision === 'mixed';
    // The cpu provider has no float16 products: they are emulated in float32 with rounded operands and results.
    const emulated = this.device === 'cpu';
    if (mixed && !emulated) requireHalf(this.device, this.#session);
    const size = this.#blocked && graph.nodes.some(isConvolving) ? blockSize() : undefined;
    const lowering =
      size === undefined ? {} : { blocked: (await import('../../formats/onnx/lower/blocked/table.ts')).inBlocks(size) };
    return new OnnxRuntimeStep(
      mixed ? halfProducts(graph, { emulated }) : graph,
      initial,
      this.#session,
      options,
      lowering,
      this.#meter,
      this.#fused,
    );
  }
}

/** Creates the engine; `UserError` if the requested device is unusable. */
export function createOnnxRuntimeEngine(options: OnnxRuntimeOptions = {}): OnnxRuntimeEngine {
  return new OnnxRuntimeEngine(options);
}

/** True for a node whose result may begin to lie in blocks. */
function isConvolving({ op }: Node): boolean {
  return op.includes('Conv') || op.includes('Pool');
}

async function initialOf(program: StepProgram, graph: Graph): Promise<State> {
  const initial = new Map<string, StateTensor>();
  for (const [name, type] of graph.state) {
    const data = await program.state[name]!.data();
    initial.set(name, { type, data: typedAs(type, data) });
  }
  return initial;
}

function typedAs({ dtype }: TensorType, data: Float32Array | Int32Array | Uint8Array): StateTensor['data'] {
  return dtype === 'int32' ? Int32Array.from(data) : dtype === 'bool' ? Uint8Array.from(data) : data;
}

// From now on, reading a tfjs tensor outside of a trace computes it with this engine.
setEvaluator(evaluator);

export { sessionOptions } from './session-choice.ts';
export { evaluator };
export { InferenceModel };
