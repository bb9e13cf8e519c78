import { UserError } from '../../base/errors.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import type { Model } from '../../formats/onnx/model.ts';
import type { Options as LoweringOptions } from '../../formats/onnx/lower.ts';
import { lowerToOnnx, nextName, outputName } from '../../formats/onnx/lower.ts';
import { foldPads } from '../../graph/passes/inference/fold-pads.ts';
import { stepBytes } from '../../graph/memory.ts';
import { printType } from '../../graph/print.ts';
import { staticShape, staticSize } from '../../graph/shapes.ts';
import { reportStage } from '../../graph/stages.ts';
import type { Graph, TensorData, TensorType } from '../../graph/types.ts';
import type { DivisibleFeed, DivisibleStep, ElementRange } from '../divisible-step.ts';
import type { CompiledStep, CompileOptions, State } from '../engine.ts';
import { RANDOM_PREFIX } from '../../trace/random.ts';
import { inOrder } from './node-order.ts';
import { fillRandom } from '../randoms.ts';
import { RepeatedStep } from './repeated-step.ts';
import type { SessionOptions, Tensor } from './session.ts';
import { allocate, holds, ortTensor, OnnxSession, tensorValues } from './session.ts';
import { DeviceStore } from './device-store.ts';
import { FusedUpdates } from '../fused/updates.ts';
import { HostStore } from '../state.ts';
import type { StateStore } from '../state.ts';
import { trafficOf, TrafficMeter } from '../traffic.ts';
import type { CallTraffic } from '../traffic.ts';

interface Feed {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly elements: number;
}

/** A graph compiled for ONNX Runtime, with variables that stay in place between calls. */
export class OnnxRuntimeStep implements DivisibleStep {
  readonly inputs: Map<string, TensorType>;
  readonly outputs: ReadonlyMap<string, TensorType>;
  readonly memoryBytes: number | undefined;
  readonly store: StateStore;
  /** Undefined if fused updates are all of the graph. */
  readonly #session: OnnxSession | undefined;
  /** Model and options of a single step, from which a session of several steps is made. */
  readonly #single: { readonly model: Model; readonly options: SessionOptions };
  #repeated: RepeatedStep | undefined;
  readonly #graph: Graph;
  /** Graph that the session computes: the whole, or the part without fused updates. */
  readonly #part: Graph;
  readonly #fused: FusedUpdates | undefined;
  readonly variables: ReadonlySet<string>;
  readonly #feeds = new Map<string, Feed>();
  readonly #randoms = new Map<string, Float32Array>();
  readonly #results: Record<string, TensorData> = {};
  readonly #tensors: Record<string, Tensor> = {};
  readonly #fetches: Record<string, Tensor | null> = {};
  readonly #randomKey: readonly (string | number)[];
  readonly #randomsPerSample: ReadonlyMap<string, number>;
  readonly #meter: TrafficMeter;
  readonly #traffic: CallTraffic;
  #disposed = false;

  constructor(
    graph: Graph,
    initial: State,
    asked: SessionOptions,
    options: CompileOptions = {},
    lowering: LoweringOptions = {},
    meter = new TrafficMeter(),
    fuses = false,
  ) {
    // A memory pattern is a second block as large as all simultaneously held values, allocated at the second call beside the first call's memory: up
    // to twice the memory (bench/README.md) for a step that is at most 6 % faster (ds-cnn, batch 128).
    const session = { ...asked, enableMemPattern: false };
    this.#meter = meter;
    this.#graph = graph;
    this.variables = new Set(graph.state.keys());
    this.#randomKey = options.randomKey ?? [];
    this.#randomsPerSample = options.randomsPerSample ?? new Map<string, number>();
    this.store = (sharedStore(options.shareStateWith) ?? newStore(session, meter)).open();
    for (const [name, type] of graph.state) this.store.declare(name, type, () => initialOf(name, initial));
    this.#fused = fuses && this.store instanceof HostStore ? FusedUpdates.of(graph, this.store) : undefined;
    // Places all remaining variables now: a variable without content is found here, not at the first call.
    for (const name of graph.state.keys()) this.store.current(name);
    const part = (this.#part = this.#fused?.rest ?? graph);
    const resting = [...graph.state].flatMap(([name, type]) => (part.state.has(name) ? [] : [type]));
    this.memoryBytes = onCpu(session) ? stepBytes(part, resting) : undefined;
    const random = [...graph.inputs].filter(([name]) => name.startsWith(RANDOM_PREFIX));
    this.inputs = new Map([...graph.inputs].filter(([name]) => !name.startsWith(RANDOM_PREFIX)));
    this.outputs = new Map([...graph.outputs].map(([name, value]) => [name, graph.types.get(value)!]));
    for (const [name, type] of this.inputs) this.#feeds.set(name, { type, ...sizes(name, type) });
    for (const [name, type] of random) this.#bindRandom(name, type);
    for (const [name, type] of this.outputs) this.#bindOutput(name, type);
    this.#traffic = trafficOf(graph, this.store instanceof DeviceStore);
    Object.assign(this.#fetches, this.#fused?.fetches);
    const lowered = lowerToOnnx(reportStage('step', foldPads(part)), {
      poolIndices: onCpu(session),
      addsMatrices: onCpu(session),
      anyChannels: session.executionProviders?.[0] !== 'webgpu',
      ...lowering,
    });
    const model = onCpu(session) ? inOrder(lowered) : lowered;
    this.#single = { model, options: session };
    const located = this.store instanceof DeviceStore && { preferredOutputLocation: this.#locations(this.store) };
    if (model.graph.nodes.length > 0) this.#session = new OnnxSession(onnxContent(model), { ...session, ...located });
  }

  async run(
    feeds: Readonly<Record<string, TensorData>>,
    step?: number,
    first?: number,
  ): Promise<Readonly<Record<string, TensorData>>> {
    // A turn of the event loop between steps serves timers, signals and loaders.
    await new Promise((resolve) => setImmediate(resolve));
    return this.runSync(feeds, step, first);
  }

  /** Like `run`, without a turn of the event loop. */
  runSync(
    feeds: Readonly<Record<string, TensorData>>,
    step?: number,
    first?: number,
  ): Readonly<Record<string, TensorData>> {
    if (this.#disposed) throw new Error('the session is disposed');
    const { inputs, state, updates } = this.#part;
    for (const [name, feed] of this.#feeds) {
      const data = checkFeed(name, feed, feeds[name]);
      if (inputs.has(name)) this.#tensors[name] = ortTensor(feed.type.dtype, data, feed.dims);
    }
    this.#refuseUnknown(feeds);
    if (this.#randoms.size > 0) this.#drawRandoms(step, first);
    for (const name of state.keys()) this.#tensors[name] = this.store.current(name);
    for (const name of updates.keys()) this.#fetches[nextName(name)] = this.store.spare(name);
    const written = this.#session?.run(this.#tensors, this.#fetches) ?? {};
    this.#fused?.run(feeds);
    for (const name of updates.keys()) this.store.advance(name, written[nextName(name)]!);
    if (this.#isResident) this.#takeResults(written);
    this.#meter.called(this.#traffic);
    return this.#results;
  }

  async runs(
    feeds: readonly Readonly<Record<string, TensorData>>[],
    step?: number,
  ): Promise<readonly Readonly<Record<string, TensorData>>[]> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#disposed) throw new Error('the session is disposed');
    // Nothing to gain if the state stays in place; and ONNX Runtime's WebGPU provider has no loops.
    if (this.#isResident || this.#fused !== undefined || this.#graph.inputs.size === 0)
      return feeds.map((each, i) => copyOf(this.runSync(each, step === undefined ? step : step + i)));
    const { model, options } = this.#single;
    this.#repeated ??= new RepeatedStep(this.#graph, model, options);
    const results = this.#repeated.run(
      feeds.map((each, i) => ({ ...this.#checked(each), ...this.#drawn(step === undefined ? step : step + i) })),
      this.store,
    );
    this.#meter.called({ ...this.#traffic, dataBytes: feeds.length * this.#traffic.dataBytes });
    return results;
  }

  get divisible(): ReadonlyMap<string, DivisibleFeed> | undefined {
    return this.#fused?.divisible;
  }

  divide(ranges: ReadonlyMap<string, readonly ElementRange[]>): void {
    this.#fused?.divide(ranges);
    for (const name of ranges.keys()) {
      this.#feeds.delete(name);
      this.inputs.delete(name);
    }
  }

  placeResults(places: Readonly<Record<string, Float32Array>>): void {
    if (this.#isResident) return;
    for (const [name, data] of Object.entries(places)) {
      if (this.#results[name]?.length !== data.length)
        throw new Error(`the step has no result ${name} of ${data.length}`);
      this.#bindOutput(name, this.outputs.get(name)!, data);
    }
  }

  async state(): Promise<State> {
    return Promise.resolve(this.store.read(this.variables));
  }

  async load(state: State): Promise<void> {
    this.store.load(state, this.variables);
    return Promise.resolve();
  }

  async dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#session?.dispose();
      this.#repeated?.dispose();
      this.store.close();
    }
    this.#disposed = true;
    return Promise.resolve();
  }

  get #isResident(): boolean {
    return this.store instanceof DeviceStore;
  }

  #refuseUnknown(feeds: Readonly<Record<string, TensorData>>): void {
    for (const name of Object.keys(feeds)) if (!this.#feeds.has(name)) throw new Error(`the step has no input ${name}`);
  }

  #checked(feeds: Readonly<Record<string, TensorData>>): Readonly<Record<string, TensorData>> {
    for (const [name, feed] of this.#feeds) checkFeed(name, feed, feeds[name]);
    this.#refuseUnknown(feeds);
    return feeds;
  }

  /** Copies of a call's random feeds. */
  #drawn(step: number | undefined): Record<string, TensorData> {
    if (this.#randoms.size > 0) this.#drawRandoms(step);
    return Object.fromEntries([...this.#randoms].map(([name, data]) => [name, data.slice()]));
  }

  /** Results are copied to host memory, the next state stays on the device. */
  #locations(store: DeviceStore): Record<string, 'cpu' | 'gpu-buffer'> {
    return Object.fromEntries([
      ...[...this.outputs.keys()].map((name) => [outputName(this.#graph, name), 'cpu'] as const),
      ...[...this.#graph.updates.keys()].map((name) => [nextName(name), store.location(name)] as const),
    ]);
  }

  /** Copies the results of a call. If outputs stay on the device, ONNX Runtime returns new arrays instead of filling the given ones. */
  #takeResults(written: Readonly<Record<string, Tensor>>): void {
    for (const [name, data] of Object.entries(this.#results)) {
      if (data.length === 0) continue;
      (data as Float32Array).set(tensorValues(written[outputName(this.#graph, name)]!) as Float32Array);
    }
  }

  #bindRandom(name: string, type: TensorType): void {
    const { dims, elements } = sizes(name, type);
    const data = new Float32Array(elements);
    this.#randoms.set(name, data);
    this.#tensors[name] = ortTensor('float32', data, dims);
  }

  #bindOutput(name: string, type: TensorType, data?: TensorData): void {
    const { dims, elements } = sizes(name, type);
    data ??= allocate(type.dtype, elements);
    this.#results[name] = data;
    if (elements > 0) this.#fetches[outputName(this.#graph, name)] = ortTensor(type.dtype, data, dims);
  }

  #drawRandoms(step: number | undefined, first = 0): void {
    if (step === undefined) throw new Error('a step with random feeds needs the number of the call');
    for (const [name, data] of this.#randoms)
      fillRandom(data, this.#randomKey, step, name, first * (this.#randomsPerSample.get(name) ?? 0));
  }
}

/** WebGPU buffers can be passed from call to call; ONNX Runtime's other providers use host memory. */
function newStore(session: SessionOptions, meter: TrafficMeter): StateStore {
  return session.executionProviders?.[0] === 'webgpu' ? new DeviceStore(session, meter) : new HostStore();
}

function sharedStore(other: CompiledStep | undefined): StateStore | undefined {
  if (other === undefined) return undefined;
  if (!(other instanceof OnnxRuntimeStep)) throw new Error('state can only be shared between steps of one engine');
  return other.store;
}

function initialOf(name: string, initial: State): TensorData {
  const found = initial.get(name);
  if (found === undefined) throw new Error(`variable ${name} has no initial content`);
  return found.data;
}

function sizes(name: string, { shape }: TensorType): { dims: readonly number[]; elements: number } {
  return { dims: staticShape(shape, name), elements: staticSize(shape) };
}

function copyOf(results: Readonly<Record<string, TensorData>>): Record<string, TensorData> {
  return Object.fromEntries(Object.entries(results).map(([name, data]) => [name, data.slice()]));
}

function checkFeed(name: string, { type, elements }: Feed, data: TensorData | undefined): TensorData {
  if (data === undefined) throw new Error(`the step's input ${name} is not fed`);
  if (!holds(type.dtype, data))
    throw new UserError(
      `input ${name} is ${type.dtype}, received a ${data.constructor.name}`,
      'Convert the values to that type.',
    );
  if (data.length !== elements)
    throw new UserError(
      `input ${name} takes ${elements} values (${printType(type)}), received ${data.length}`,
      'Check the shape of the data against the input shape of the model.',
    );
  return data;
}

function onCpu({ executionProviders }: SessionOptions): boolean {
  return executionProviders?.[0] === 'cpu';
}
