import type { TensorQuantization } from '../../../graph/quantization.ts';
import { bytesOf } from '../../../base/typed-bytes.ts';
import type { Model, OnnxAttr, OnnxNode, OnnxTensor } from '../model.ts';
import { tensor } from '../model.ts';
import { ARRAYS, quantizedIntegers } from './weights.ts';

/** Inserts quantized tensors into a model, node by node. */
export class QdqWriter {
  readonly #model: Model;
  /** Quantized activations. */
  readonly #marked: ReadonlyMap<string, TensorQuantization>;
  readonly #outputs: ReadonlySet<string>;
  readonly #constants: ReadonlyMap<string, OnnxTensor>;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();
  /** Scales of the constants that are stored under their own names. */
  readonly #scalesOf = new Map<string, TensorQuantization>();
  /** Scales and zero points by content: equal tensors are stored once. */
  readonly #pool = new Map<string, string>();

  constructor(model: Model, marked: ReadonlyMap<string, TensorQuantization>) {
    this.#model = model;
    this.#marked = marked;
    this.#outputs = new Set(model.graph.outputs.map(({ name }) => name));
    this.#constants = new Map(model.graph.initializers.map((t) => [t.name, t]));
    for (const { name } of model.graph.inputs) this.#quantize(name, name);
  }

  /** Adds a node; `stored`: scales of its constants that become integers. */
  add(node: OnnxNode, stored: ReadonlyMap<string, TensorQuantization>): void {
    const inputs = node.inputs.map((name) => {
      const scales = stored.get(name);
      return scales === undefined ? this.#read(name) : this.#constant(node, name, scales);
    });
    const outputs = node.outputs.map((name) => (this.#marked.has(name) ? this.#float(name) : name));
    this.#nodes.push({ ...node, inputs, outputs });
    for (const name of node.outputs) this.#quantize(name, this.#float(name));
  }

  finish(): Model {
    const used = new Set(this.#nodes.flatMap(({ inputs }) => inputs));
    const initializers = [...this.#model.graph.initializers, ...this.#initializers.values()];
    return {
      ...this.#model,
      graph: {
        ...this.#model.graph,
        nodes: this.#nodes,
        initializers: initializers.filter(({ name }) => used.has(name)),
      },
    };
  }

  /** Name of a result before quantization; an output of the model keeps its name for the quantized result. */
  #float(name: string): string {
    return this.#outputs.has(name) ? `${name}/float` : name;
  }

  #read(name: string): string {
    if (!this.#marked.has(name) || this.#outputs.has(name)) return name;
    return `${name}/dequantized`;
  }

  #quantize(name: string, from: string): void {
    const scales = this.#marked.get(name);
    if (scales === undefined) return;
    const parameters = this.#parameters(name, scales);
    this.#emit('QuantizeLinear', [from, ...parameters], `${name}/quantized`);
    this.#emit(
      'DequantizeLinear',
      [`${name}/quantized`, ...parameters],
      this.#outputs.has(name) ? name : this.#read(name),
    );
  }

  /** A stored constant and its DequantizeLinear: a pair for each consumer with scales of its own, as for biases. */
  #constant(node: OnnxNode, name: string, scales: TensorQuantization): string {
    const prefix = scales.dtype === 'int32' ? `${node.outputs[0]!}/bias` : this.#prefix(node, name, scales);
    const widened = `${prefix}/dequantized`;
    const stored = `${prefix}/${scales.dtype}`;
    if (this.#initializers.has(stored)) return widened;
    const isWeight = scales.zeroPoints.every((zeroPoint) => zeroPoint === 0);
    this.#initializers.set(stored, quantizedIntegers(stored, this.#constants.get(name)!, scales, isWeight));
    this.#emit('DequantizeLinear', [stored, ...this.#parameters(prefix, scales)], widened, scales.axis);
    return widened;
  }

  /** Name of a stored constant: its own for the first scales, else a new one. */
  #prefix(node: OnnxNode, name: string, scales: TensorQuantization): string {
    const first = this.#scalesOf.get(name) ?? scales;
    this.#scalesOf.set(name, first);
    return JSON.stringify(first) === JSON.stringify(scales) ? name : `${node.outputs[0]!}/${name}`;
  }

  /** Scale and zero point; an int32 bias has zero point 0, which is omitted. */
  #parameters(name: string, { scales, zeroPoints, dtype, axis }: TensorQuantization): string[] {
    const dims = axis === undefined ? [] : [scales.length];
    const scale = this.#pooled(tensor(`${name}/scale`, 'float32', dims, Float32Array.from(scales)));
    if (dtype === 'int32') return [scale];
    const type = dtype === 'uint8' ? 'uint8' : 'int8';
    return [scale, this.#pooled(tensor(`${name}/zero_point`, type, dims, ARRAYS[type].from(zeroPoints)))];
  }

  #pooled(t: OnnxTensor): string {
    const key = `${t.dtype} ${t.dims.join()} ${bytesOf(t.raw).join()}`;
    const known = this.#pool.get(key);
    if (known !== undefined) return known;
    this.#pool.set(key, t.name);
    this.#initializers.set(t.name, t);
    return t.name;
  }

  #emit(op: string, inputs: readonly string[], output: string, axis?: number): void {
    const attrs = new Map<string, OnnxAttr>(axis === undefined ? [] : [['axis', { type: 'int', value: axis }]]);
    this.#nodes.push({ op, domain: '', name: '', inputs: [...inputs], outputs: [output], attrs });
  }
}
