import { dataTypes } from '../model.ts';
import type { Model, OnnxGraph, OnnxNode, ValueInfo } from '../model.ts';
import { Adder, asInt, asInts, withRenamed } from './added.ts';
import type { Added } from './added.ts';

/** Prefix of added values, which no file of ours has. */
const OWN = 'pipeline/';

/** The only output that a pipeline reads. */
const LOGITS = 'logits';

/** The model with other inputs, from which the added nodes compute its own, and with logits as its only output. */
function between(
  model: Model,
  inputs: readonly ValueInfo[],
  before: Added,
  after: Added,
  dims: NonNullable<ValueInfo['dims']>,
): Model {
  const graph: OnnxGraph = {
    ...model.graph,
    inputs,
    outputs: [{ name: LOGITS, dtype: 'float32', dims }],
    nodes: [...before.nodes, ...model.graph.nodes, ...after.nodes],
    initializers: [...before.initializers, ...model.graph.initializers, ...after.initializers],
  };
  return { ...model, graph };
}

/** Nodes that read other values in place of the file's inputs. */
function reading(nodes: readonly OnnxNode[], instead: ReadonlyMap<string, string>): OnnxNode[] {
  return nodes.map((node) => ({ ...node, inputs: node.inputs.map((name) => instead.get(name) ?? name) }));
}

/** The answer under the name `logits`. A file's own value of this name keeps its nodes and gets another name. */
function answerOf(model: Model): { readonly model: Model; readonly answer: string } {
  const { outputs, nodes } = model.graph;
  const output = outputs.find(({ name }) => name === LOGITS) ?? outputs[0]!;
  const inner = `${OWN}answer`;
  const changed = withRenamed(nodes, new Map([[output.name, inner]]));
  return { model: { ...model, graph: { ...model.graph, nodes: changed } }, answer: inner };
}

export interface PictureEnds {
  /** [height, width, channels] of a sample. */
  readonly sampleShape: readonly number[];
  readonly normalization: { readonly scale: number; readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Integer weights of the luma of ITU-R 601-2 in 1/65536, as Pillow has them; sums of 8-bit pixels are exact in float32. */
export const LUMA = [19595, 38470, 7471];

/**
 * A model of pictures for `pixel_values` [batch, 3, height, width], 0 … 255 in RGB: what the data set does to a picture of 8 bits stands inside,
 * grey included. `isPerPixel`: logits of cells [batch, rows, columns, classes] become [batch, classes, rows, columns].
 */
export function forPixelValues(whole: Model, ends: PictureEnds, isPerPixel = false): Model {
  const { model, answer } = answerOf(whole);
  const before = new Adder(OWN);
  const nodes = preparedPixels(model, ends, { before, pixels: 'pixel_values' });
  const after = new Adder(OWN);
  if (isPerPixel) after.node('Transpose', [answer], LOGITS, { perm: asInts(0, 3, 1, 2) });
  else after.node('Identity', [answer], LOGITS);
  const answers = isPerPixel ? ['batch', null, null, null] : ['batch', null];
  const [height, width] = ends.sampleShape as [number, number];
  const pixels = { name: 'pixel_values', dtype: 'float32' as const, dims: ['batch', 3, height, width] };
  const prepared = { shape: [height, width, 3], scale: 1, mean: [0, 0, 0], std: [1, 1, 1], layout: 'nchw' };
  const metadata = new Map([...model.metadata, ['preprocessing', JSON.stringify(prepared)]]);
  return between({ ...model, metadata, graph: { ...model.graph, nodes } }, [pixels], before, after, answers);
}

/**
 * The nodes of a model, reading what the data set makes of `pixels` [batch, 3, height, width], 0 … 255 in RGB; the nodes that make it are added to
 * `before`.
 */
export function preparedPixels(
  model: Model,
  { sampleShape, normalization }: PictureEnds,
  { before, pixels }: { readonly before: Adder; readonly pixels: string },
): OnnxNode[] {
  const [height, width, channels] = sampleShape as [number, number, number];
  let x = pixels;
  if (channels === 1) {
    x = before.node('Mul', [x, before.floats('luma', LUMA, [1, 3, 1, 1])], `${OWN}weighted`);
    x = before.node('ReduceSum', [x, before.integers('channels', [1])], `${OWN}summed`, { keepdims: asInt(1) });
    x = before.node('Add', [x, before.floats('half', [0x8000])], `${OWN}rounded`);
    x = before.node('Mul', [x, before.floats('unit', [1 / 65536])], `${OWN}luma-of-pixels`);
    x = before.node('Floor', [x], `${OWN}grey`);
  }
  const [input] = model.graph.inputs as readonly [ValueInfo];
  const fed = input.dims?.slice(1).join();
  const isFirst = fed === [channels, height, width].join() && fed !== sampleShape.join();
  if (!isFirst) x = before.node('Transpose', [x], `${OWN}last`, { perm: asInts(0, 2, 3, 1) });
  const { scale, mean, std } = normalization;
  const dims = (values: readonly number[]): number[] => (isFirst ? [values.length, 1, 1] : [values.length]);
  x = before.node('Mul', [x, before.floats('scale', [scale])], `${OWN}scaled`);
  x = before.node('Sub', [x, before.floats('mean', mean, dims(mean))], `${OWN}centred`);
  x = before.node('Div', [x, before.floats('std', std, dims(std))], `${OWN}prepared`);
  x = before.node('Cast', [x], `${OWN}input`, { to: asInt(dataTypes[input.dtype ?? 'float32']) });
  return reading(model.graph.nodes, new Map([[input.name, x]]));
}

export interface TokenEnds {
  /** Tokens of a sample. */
  readonly length: number;
  readonly padding: number;
  /** True if the model answers for each token. */
  readonly isPerToken: boolean;
}

const TOKENS = ['batch', 'sequence'];

/**
 * A model of texts for `input_ids` and `attention_mask`, int64 [batch, sequence] of any length: ids are padded with its own padding, or cut, to its
 * length. Inputs for the mask and for token types are computed, types as 0.
 */
export function forTokens(whole: Model, { length, padding, isPerToken }: TokenEnds): Model {
  const { model, answer } = answerOf(whole);
  const before = new Adder(OWN);
  const [ids, mask] = ['input_ids', 'attention_mask'];
  const [first, rest, zero] = [
    before.integers('0', [0]),
    before.integers('1', [1]),
    before.integers('none', [0], [1, 1]),
  ];
  const own = before.integers('padding', [padding], [1, 1]);
  const sizes = before.node('Shape', [ids], `${OWN}sizes`);
  const batch = before.node('Slice', [sizes, first, rest, first], `${OWN}batch`);
  const size = before.node('Concat', [batch, before.integers('length', [length])], `${OWN}size`, { axis: asInt(0) });
  const fitted = (value: string, filling: string, name: string): string => {
    const filled = before.node('Expand', [filling, size], `${OWN}${name}-filling`);
    const long = before.node('Concat', [value, filled], `${OWN}${name}-long`, { axis: asInt(1) });
    return before.node('Slice', [long, first, before.integers(`${name}-end`, [length]), rest], `${OWN}${name}`);
  };
  const isPadding = before.node('Equal', [mask, zero], `${OWN}is-padding`);
  const kept = before.node('Where', [isPadding, own, ids], `${OWN}kept`);
  const parts = {
    input_ids: () => fitted(kept, own, 'ids'),
    attention_mask: () => fitted(mask, zero, 'mask'),
    token_type_ids: () => before.node('Expand', [zero, size], `${OWN}types`),
  };
  const { inputs } = model.graph;
  const renamed = new Map<string, string>();
  for (const { name, dtype = 'float32' } of inputs) {
    const part = inputs.length === 1 ? 'input_ids' : (name as keyof typeof parts);
    renamed.set(name, before.node('Cast', [parts[part]()], `${OWN}input-${part}`, { to: asInt(dataTypes[dtype]) }));
  }
  const nodes = reading(model.graph.nodes, renamed);
  const after = new Adder(OWN);
  if (isPerToken) {
    // The pipeline reads an answer for each of its tokens.
    const end = after.node('Slice', [sizes, rest, after.integers('2', [2]), first], `${OWN}end`);
    after.node('Slice', [answer, first, end, rest], LOGITS);
  } else after.node('Identity', [answer], LOGITS);
  const tokens = [ids, mask].map((name) => ({ name, dtype: 'int64' as const, dims: TOKENS }));
  const dims = isPerToken ? [...TOKENS, null] : ['batch', null];
  return between({ ...model, graph: { ...model.graph, nodes } }, tokens, before, after, dims);
}
