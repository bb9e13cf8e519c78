import { onnxContent } from '../../formats/onnx/protobuf.ts';
import { lowerToOnnx, outputName } from '../../formats/onnx/lower.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { printType } from '../../graph/print.ts';
import { staticShape, staticSize } from '../../graph/shapes.ts';
import type { Graph, TensorData, TensorType } from '../../graph/types.ts';
import type { State, StateTensor } from '../engine.ts';
import type { SessionOptions, Tensor } from './session.ts';
import { ortTensor, OnnxSession, tensorValues } from './session.ts';
import type { StateStore } from '../state.ts';
import { checkState, checkType } from '../state.ts';
import { bytesIn, TrafficMeter } from '../traffic.ts';

interface Held {
  readonly type: TensorType;
  /** Content on the device, or in host memory until a call needs it on the device. */
  tensor: Tensor;
}

type Types = ReadonlyMap<string, TensorType>;
type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Variables that stay in the device's memory between calls, as WebGPU buffers that a call returns and the next is fed. They are copied to host memory
 * only when they are read, and to the device only after they were loaded.
 */
export class DeviceStore implements StateStore {
  readonly #held = new Map<string, Held>();
  readonly #copiers = new Map<string, Copier>();
  readonly #options: SessionOptions;
  readonly #meter: TrafficMeter;
  #users = 0;

  constructor(options: SessionOptions, meter = new TrafficMeter()) {
    this.#options = options;
    this.#meter = meter;
  }

  declare(name: string, type: TensorType, initial: () => TensorData): void {
    const known = this.#held.get(name);
    if (known === undefined) this.#held.set(name, { type, tensor: hostTensor(type, initial()) });
    else checkType(name, known.type, type);
  }

  location(name: string): 'cpu' | 'gpu-buffer' {
    return isResident(this.#held.get(name)!.type) ? 'gpu-buffer' : 'cpu';
  }

  current(name: string): Tensor {
    if (this.#waits(this.#held.get(name)!)) this.#upload();
    return this.#held.get(name)!.tensor;
  }

  spare(): null {
    return null;
  }

  /** Takes over a call's result. Throws if the call returned host memory for a variable of the device, which would be copied at every step. */
  advance(name: string, written: Tensor): void {
    const held = this.#held.get(name)!;
    const { location } = written;
    if (location !== this.location(name))
      throw new Error(`variable ${name}: expected a result in ${this.location(name)}, received one in ${location}`);
    this.#replace(held, written);
  }

  #replace(held: Held, written: Tensor): void {
    held.tensor.dispose();
    held.tensor = written;
  }

  read(names: Iterable<string>): State {
    const held = new Map([...names].map((name) => [name, this.#held.get(name)!]));
    const resident = new Map([...held].filter(([, { tensor }]) => tensor.location === 'gpu-buffer'));
    const copies = resident.size === 0 ? {} : this.#copy(resident, 'cpu');
    return new Map(
      [...held].map(([name, { type, tensor }]): [string, StateTensor] => [
        name,
        { type, data: tensorValues(copies[name] ?? tensor).slice() },
      ]),
    );
  }

  load(state: State, names: ReadonlySet<string>): void {
    checkState(state, new Map([...names].map((name) => [name, this.#held.get(name)!.type])));
    for (const [name, { type, data }] of state) this.#replace(this.#held.get(name)!, hostTensor(type, data));
  }

  open(): this {
    this.#users++;
    return this;
  }

  close(): void {
    if (--this.#users > 0) return;
    for (const { tensor } of this.#held.values()) tensor.dispose();
    for (const copier of this.#copiers.values()) copier.dispose();
    this.#held.clear();
    this.#copiers.clear();
  }

  #waits({ type, tensor }: Held): boolean {
    return tensor.location === 'cpu' && isResident(type);
  }

  /** Uploads all content that was declared or loaded since the last call. */
  #upload(): void {
    const waiting = new Map([...this.#held].filter(([, held]) => this.#waits(held)));
    const uploaded = this.#copy(waiting, 'gpu-buffer');
    for (const [name, held] of waiting) held.tensor = uploaded[name]!;
  }

  #copy(held: ReadonlyMap<string, Held>, to: 'cpu' | 'gpu-buffer'): Tensors {
    const types = new Map([...held].map(([name, { type }]) => [name, type]));
    this.#meter.moved([...types.values()].reduce((sum, type) => sum + bytesIn(type), 0));
    const key = [to, ...[...types].map(([name, type]) => `${name} ${printType(type)}`)].join('\n');
    const copier = this.#copiers.get(key) ?? new Copier(types, to, this.#options);
    this.#copiers.set(key, copier);
    return copier.run(Object.fromEntries([...held].map(([name, { tensor }]) => [name, tensor])));
  }
}

/** True if the variable can stay on the device: the provider has no buffers of other types, nor empty ones. */
function isResident({ dtype, shape }: TensorType): boolean {
  return (dtype === 'float32' || dtype === 'int32') && staticSize(shape) > 0;
}

function hostTensor(type: TensorType, data: TensorData): Tensor {
  return ortTensor(type.dtype, (data as Float32Array).slice(), staticShape(type.shape, 'a variable'));
}

/** onnxruntime-node moves tensors only by running a model: this model returns its inputs. */
class Copier {
  readonly #session: OnnxSession;
  readonly #graph: Graph;

  constructor(types: Types, to: 'cpu' | 'gpu-buffer', options: SessionOptions) {
    const builder = new GraphBuilder();
    for (const [name, type] of types) builder.output(name, builder.input(name, type));
    this.#graph = builder.build();
    const locations = [...types.keys()].map((name) => [outputName(this.#graph, name), to]);
    this.#session = new OnnxSession(onnxContent(lowerToOnnx(this.#graph)), {
      ...options,
      preferredOutputLocation: Object.fromEntries(locations) as Record<string, 'cpu' | 'gpu-buffer'>,
    });
  }

  run(tensors: Tensors): Tensors {
    const names = [...this.#graph.outputs.keys()].map((name) => [name, outputName(this.#graph, name)] as const);
    const copies = this.#session.run(tensors, Object.fromEntries(names.map(([, output]) => [output, null])));
    return Object.fromEntries(names.map(([name, output]) => [name, copies[output]!]));
  }

  dispose(): void {
    this.#session.dispose();
  }
}
