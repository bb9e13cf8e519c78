import { DEFAULT_OPSET, irVersionOf } from '../../../formats/onnx/lower.ts';
import { dataTypes } from '../../../formats/onnx/model.ts';
import type { Model, OnnxAttr, ValueInfo } from '../../../formats/onnx/model.ts';
import { Adder, asInt, asInts } from '../../../formats/onnx/rewrite/added.ts';
import type { DecoderParts } from './parts.ts';

/** Score of a place that is not seen, as `CausalMask` has it. */
const HIDDEN = -1e9;

/** In place of the first number of a key: the place lies before an end of a text, and is not seen from behind it. No key grows to it. */
const FORGOTTEN = 1e30;

/** As `RmsNorm` has it. */
const EPSILON = 1e-5;

/** Base of the wavelengths of rotary positions, as `CausalAttention` has it. */
const BASE = 10_000;

/** Operator set from which on ReduceMean and ReduceMax take their axes as an input. */
const AXES_AS_INPUT = 18;

const asFloat: OnnxAttr = asInt(dataTypes.float32);

/** Names of the past of a layer, as transformers.js and ONNX Runtime GenAI have them. */
export const pastName = (layer: number, part: 'key' | 'value'): string => `past_key_values.${layer}.${part}`;
export const presentName = (layer: number, part: 'key' | 'value'): string => `present.${layer}.${part}`;

/**
 * A decoder that keeps keys and values: input_ids and position_ids [batch, sequence], attention_mask [batch, past + sequence], past_key_values.N.key and
 * .value [batch, groups, past, depth] to logits [batch, sequence, vocabulary] and present.N.key and .value [batch, groups, past + sequence, depth]. One graph
 * for a prompt, with an empty past, and for each token behind it. Answers are those of the whole sequence: what lies before an end of a text is forgotten,
 * and a place sees no more places than the network was trained with. `model`: the file that `parts` were read from.
 */
export function withCache(model: Model, parts: DecoderParts, opset = DEFAULT_OPSET): Model {
  const writer = new CachedDecoder(parts, opset);
  const { nodes, initializers } = writer.write();
  const { groups, depth, layers, vocabulary } = parts;
  const ids = (name: string, length: string): ValueInfo => ({ name, dtype: 'int64', dims: ['batch', length] });
  const kept = (nameOf: typeof pastName, length: string): ValueInfo[] =>
    Array.from({ length: layers }, (_, layer) =>
      (['key', 'value'] as const).map((part) => {
        return { name: nameOf(layer, part), dtype: 'float32', dims: ['batch', groups, length, depth] } as const;
      }),
    ).flat();
  return {
    ...model,
    irVersion: irVersionOf(opset),
    opsets: new Map([['', opset]]),
    graph: {
      name: model.graph.name,
      valueInfos: [],
      nodes,
      initializers,
      inputs: [
        ids('input_ids', 'sequence'),
        ids('attention_mask', 'total'),
        ids('position_ids', 'sequence'),
        ...kept(pastName, 'past'),
      ],
      outputs: [
        { name: 'logits', dtype: 'float32', dims: ['batch', 'sequence', vocabulary] },
        ...kept(presentName, 'total'),
      ],
    },
  };
}

/** Places that are hidden, and those that no later token sees. */
interface Masks {
  /** [batch, 1, sequence, total] */
  readonly hidden: string;
  /** [batch, 1, total, 1] */
  readonly forgotten: string;
}

class CachedDecoder {
  readonly #parts: DecoderParts;
  readonly #opset: number;
  readonly #add = new Adder('cache/');
  #count = 0;

  constructor(parts: DecoderParts, opset: number) {
    this.#parts = parts;
    this.#opset = opset;
  }

  write(): Pick<Adder, 'nodes' | 'initializers'> {
    const { layers, weights } = this.#parts;
    const masks = this.#masks();
    const rotation = this.#rotation();
    let x = this.#node('Gather', ['tokens/embeddings', 'input_ids'], {}, 'tokens');
    for (let layer = 0; layer < layers; layer++) {
      const name = `layer${layer + 1}`;
      x = this.#node('Add', [x, this.#attention(this.#norm(x, `${name}_norm1`), layer, masks, rotation)]);
      x = this.#node('Add', [x, this.#feed(this.#norm(x, `${name}_norm2`), name)]);
    }
    const { size, vocabulary } = this.#parts;
    const rows = this.#reshaped(this.#norm(x, 'final_norm'), [-1, size]);
    const logits = this.#node('Gemm', [rows, 'tokens/embeddings'], { transB: asInt(1) }, 'tokens/logits');
    const sizes = this.#node('Concat', ['ids/shape', this.#ints([vocabulary])], { axis: asInt(0) });
    this.#add.node('Reshape', [logits, sizes], 'logits');
    const used = new Set(this.#add.nodes.flatMap(({ inputs }) => inputs));
    const stored = [...weights.values()].filter(({ name }) => used.has(name));
    return { nodes: this.#add.nodes, initializers: [...stored, ...this.#add.initializers] };
  }

  /** Adds a node, whose value has a number unless it is named. */
  #node(op: string, inputs: readonly string[], attrs: Record<string, OnnxAttr> = {}, name = ''): string {
    return this.#add.node(op, inputs, name === '' ? `${op}_${++this.#count}` : name, attrs);
  }

  #ints(values: readonly number[]): string {
    const name = `ints_${values.join('_')}`;
    const found = this.#add.initializers.find((one) => one.name === `cache/${name}`);
    return found?.name ?? this.#add.integers(name, values);
  }

  #float(value: number): string {
    const found = this.#add.initializers.find((one) => one.name === `cache/${value}`);
    return found?.name ?? this.#add.floats(String(value), [value], []);
  }

  #reshaped(x: string, shape: readonly number[]): string {
    return this.#node('Reshape', [x, this.#ints(shape)]);
  }

  #sized(from: number, count: number, x: string, axis: number): string {
    return this.#node('Slice', [x, this.#ints([from]), this.#ints([from + count]), this.#ints([axis])]);
  }

  #reduced(op: string, x: string, axis: number): string {
    if (this.#opset < AXES_AS_INPUT) return this.#node(op, [x], { axes: asInts(axis), keepdims: asInt(1) });
    return this.#node(op, [x, this.#ints([axis])], { keepdims: asInt(1) });
  }

  #masks(): Masks {
    const { end, length } = this.#parts;
    const node = this.#node.bind(this);
    const shape = node('Shape', ['input_ids'], {}, 'ids/shape');
    const batch = this.#sized(0, 1, shape, 0);
    const count = this.#sized(1, 1, shape, 0);
    const total = this.#sized(1, 1, node('Shape', ['attention_mask']), 0);
    const past = node('Sub', [total, count]);
    const scalar = (x: string): string => node('Squeeze', [x]);
    const [zero, one] = [this.#add.integers('zero', [0], []), this.#add.integers('one', [1], [])];
    const columns = node('Range', [zero, scalar(total), one]);
    const rows = node('Unsqueeze', [node('Range', [scalar(past), scalar(total), one]), this.#ints([1])]);
    const distance = node('Sub', [rows, columns]);
    const later = node('Less', [distance, zero]);
    const tooFar = node('Greater', [distance, this.#add.integers('farthest', [length - 1], [])]);
    const outside = node('Or', [later, tooFar]);
    const isPadding = node('Unsqueeze', [node('Equal', ['attention_mask', zero]), this.#ints([1])]);
    // Number of ends up to each place of this call, 0 for all of the past: places of one text have the same.
    const isEnd = node('Cast', [node('Equal', ['input_ids', this.#add.integers('end', [end], [])])], { to: asFloat });
    const text = node('CumSum', [isEnd, this.#add.integers('along', [1], [])]);
    const before = node('Expand', [this.#float(0), node('Concat', [batch, past], { axis: asInt(0) })]);
    const all = node('Concat', [before, text], { axis: asInt(1) });
    const [perRow, perColumn] = [node('Unsqueeze', [text, this.#ints([2])]), node('Unsqueeze', [all, this.#ints([1])])];
    const isOther = node('Less', [perColumn, perRow]);
    // Places that an earlier call forgot, [batch, total].
    const first = this.#node('Slice', [pastName(0, 'key'), this.#ints([0, 0]), this.#ints([1, 1]), this.#ints([1, 3])]);
    const firsts = node('Squeeze', [first, this.#ints([1, 3])]);
    const seen = node('Expand', [this.#float(0), shape]);
    const marks = node('Concat', [firsts, seen], { axis: asInt(1) });
    const wasForgotten = node('Greater', [marks, this.#float(FORGOTTEN / 10)]);
    const last = this.#reduced('ReduceMax', text, 1);
    const forgotten = node('Or', [wasForgotten, node('Less', [all, last])]);
    const hiddenFor = node('Or', [node('Or', [outside, isPadding]), isOther]);
    const hidden = node('Or', [hiddenFor, node('Unsqueeze', [wasForgotten, this.#ints([1])])]);
    return {
      hidden: node('Unsqueeze', [hidden, this.#ints([1])]),
      forgotten: node('Unsqueeze', [forgotten, this.#ints([1, 3])]),
    };
  }

  /** Cosines and sines of the angles, [batch, 1, sequence, depth / 2]. */
  #rotation(): readonly [cos: string, sin: string] {
    const half = this.#parts.depth / 2;
    const frequencies = Array.from({ length: half }, (_, i) => BASE ** (-i / half));
    const places = this.#node('Cast', ['position_ids'], { to: asFloat });
    const places4 = this.#node('Unsqueeze', [places, this.#ints([1, 3])]);
    const angles = this.#node('Mul', [places4, this.#add.floats('frequencies', frequencies)]);
    return [this.#node('Cos', [angles]), this.#node('Sin', [angles])];
  }

  #norm(x: string, name: string): string {
    const squares = this.#reduced('ReduceMean', this.#node('Mul', [x, x]), -1);
    const root = this.#node('Sqrt', [this.#node('Add', [squares, this.#float(EPSILON)])]);
    return this.#node('Mul', [this.#node('Div', [x, root]), `${name}/gain`]);
  }

  #product(x: string, kernel: string): string {
    return this.#node('MatMul', [x, kernel], {}, `${kernel}/product`);
  }

  /** [batch, sequence, count · depth] as [batch, count, sequence, depth]. */
  #heads(x: string, count: number): string {
    const apart = this.#reshaped(x, [0, -1, count, this.#parts.depth]);
    return this.#node('Transpose', [apart], { perm: asInts(0, 2, 1, 3) });
  }

  #rotated(x: string, [cos, sin]: readonly [string, string]): string {
    const half = this.#parts.depth / 2;
    const [first, second] = [this.#sized(0, half, x, 3), this.#sized(half, half, x, 3)];
    const product = (a: string, b: string): string => this.#node('Mul', [a, b]);
    const turned = [
      this.#node('Sub', [product(first, cos), product(second, sin)]),
      this.#node('Add', [product(second, cos), product(first, sin)]),
    ];
    return this.#node('Concat', turned, { axis: asInt(-1) });
  }

  #attention(x: string, layer: number, { hidden, forgotten }: Masks, rotation: readonly [string, string]): string {
    const { heads, groups, depth, size } = this.#parts;
    const kernel = (part: string): string => `layer${layer + 1}_attention/${part}_kernel`;
    const query = this.#rotated(this.#heads(this.#product(x, kernel('query')), heads), rotation);
    const ownKey = this.#rotated(this.#heads(this.#product(x, kernel('key')), groups), rotation);
    const ownValue = this.#heads(this.#product(x, kernel('value')), groups);
    const kept = (part: 'key' | 'value', own: string, name = ''): string =>
      this.#node('Concat', [pastName(layer, part), own], { axis: asInt(2) }, name);
    // The masks read the marks of the first layer alone.
    const key = kept('key', ownKey, layer === 0 ? '' : presentName(layer, 'key'));
    if (layer === 0) this.#add.node('Where', [forgotten, this.#float(FORGOTTEN), key], presentName(layer, 'key'));
    const value = kept('value', ownValue, presentName(layer, 'value'));
    const scores = this.#node('MatMul', [
      query,
      this.#node('Transpose', [this.#perHead(key)], { perm: asInts(0, 1, 3, 2) }),
    ]);
    const scaled = this.#node('Mul', [scores, this.#float(1 / Math.sqrt(depth))]);
    const shares = this.#node('Softmax', [this.#node('Where', [hidden, this.#float(HIDDEN), scaled])], {
      axis: asInt(-1),
    });
    const mixed = this.#node('MatMul', [shares, this.#perHead(value)]);
    const joined = this.#node('Transpose', [mixed], { perm: asInts(0, 2, 1, 3) });
    return this.#product(this.#reshaped(joined, [0, -1, size]), kernel('output'));
  }

  /** Keys or values of each head, where several heads share those of a group. */
  #perHead(x: string): string {
    const { heads, groups, depth } = this.#parts;
    if (heads === groups) return x;
    const apart = this.#node('Unsqueeze', [x, this.#ints([2])]);
    const repeated = this.#node('Expand', [apart, this.#ints([1, 1, heads / groups, 1, 1])]);
    return this.#reshaped(repeated, [0, heads, -1, depth]);
  }

  #feed(x: string, name: string): string {
    const up = this.#product(x, `${name}_up/kernel`);
    if (this.#parts.isGated) {
      const gate = this.#product(x, `${name}_gate/kernel`);
      const swish = this.#node('Mul', [gate, this.#node('Sigmoid', [gate])]);
      return this.#product(this.#node('Mul', [swish, up]), `${name}_down/kernel`);
    }
    const erf = this.#node('Erf', [this.#node('Mul', [up, this.#float(Math.SQRT1_2)])]);
    const share = this.#node('Mul', [this.#node('Add', [erf, this.#float(1)]), this.#float(0.5)]);
    return this.#product(this.#node('Mul', [up, share]), `${name}_down/kernel`);
  }
}
