import type { GraphBuilder } from '../../builder.ts';
import { ints } from '../../ops/spec.ts';
import type { Constant, Graph, Node } from '../../types.ts';
import { rewrite } from '../rewrite.ts';
import { readersOf, usesOf } from '../uses.ts';

/** Content of a value or constant of the new graph: one of the old graph, all its channels so many times one after another. */
interface Held {
  readonly name: string;
  readonly copies: number;
}

interface Regrouped {
  readonly graph: Graph;
  /** By the names that are new. */
  readonly held: ReadonlyMap<string, Held>;
}

/** Channels that ONNX Runtime's integer convolution reads at once on x64; the fewest that it gives, and their multiple. */
const [READ, LEAST_GIVEN, GIVEN] = [4, 16, 8];
/** Columns that may become channels. */
const BLOCKS = [2, 4, 8];
/** Multiplications for each result that cost as much as a pixel's copy for one tap: so many by AVX2's instructions, three times that by VNNI. */
const MULTIPLICATIONS_OF_A_COPY = 200;

/** A convolution, the bias and the activation that follow, and how many columns of its input become channels. */
interface Chain {
  readonly conv: Node;
  readonly nodes: readonly Node[];
  readonly block: number;
}

/**
 * The graph with neighbouring columns of what some convolutions read as channels: [batch, height, width, channels] becomes [batch, height,
 * width / b, b · channels], which lies in memory as before. The filter holds its weights once for each column that it gives, and zeros
 * elsewhere, so that the sums are the same, those of integers to the bit. ONNX Runtime's fast integer convolution on x64 reads channels in
 * fours alone (MLAS, convsym.cpp, MlasConvSymPackWSize); the pixels of a picture with 1 or 3 are copied one by one for every tap of the filter.
 * `wanted` is asked for each convolution where that is worth it, with the bias and the activation behind it.
 */
export function columnsToChannels(graph: Graph, wanted: (chain: readonly Node[]) => boolean): Regrouped {
  const onlyReader = onlyReaderIn(graph);
  const chains = graph.nodes.flatMap((node) => {
    const chain = chainOf(graph, node, onlyReader);
    return chain !== undefined && wanted(chain.nodes) ? [chain] : [];
  });
  const held = new Map<string, Held>();
  if (chains.length === 0) return { graph, held };
  const hold = (made: string, name: string, copies: number): string => {
    held.set(made, { name, copies });
    return made;
  };
  const chainOfResult = new Map(
    chains.flatMap((chain) => chain.nodes.map(({ outputs }) => [outputs[0]!, chain] as const)),
  );
  const regrouped = rewrite(graph, (node, builder) => {
    const output = node.outputs[0]!;
    const chain = chainOfResult.get(output);
    if (chain === undefined) return undefined;
    const { conv, nodes, block } = chain;
    const layer = node.layer ?? output;
    const copies = block / strideOf(conv);
    const constant = (name: string, { type, data }: Constant): string =>
      hold(builder.constant(type, data, `${name}/columns`), name, copies);
    let value: string;
    if (output === conv.outputs[0]) {
      const [input, filter] = node.inputs as [string, string];
      const shape = regroupedShape(builder, input, block);
      const columns = hold(builder.op('Reshape', [input], { shape }, layer), conv.inputs[0]!, 1);
      const { weights, pads } = wideFilter(graph, conv, block);
      const attrs = { ...conv.attrs, strides: [ints(conv.attrs, 'strides')[0]!, 1], pads };
      value = builder.op('Conv2D', [columns, constant(filter, weights)], attrs, layer);
    } else {
      const inputs = node.inputs.map((name) => {
        const bias = graph.constants.get(name);
        return bias === undefined ? name : constant(name, repeated(bias, copies));
      });
      value = builder.op(node.op, inputs, node.attrs, layer);
    }
    hold(value, output, 1);
    if (output !== nodes.at(-1)!.outputs[0]) return [value];
    return builder.node('Reshape', [value], { shape: graph.types.get(output)!.shape }, { layer, outputs: [output] });
  });
  return { graph: regrouped, held };
}

function strideOf({ attrs }: Node): number {
  return ints(attrs, 'strides')[1]!;
}

function regroupedShape(builder: GraphBuilder, input: string, block: number) {
  const [batch, height, width, channels] = builder.typeOf(input).shape;
  return [batch!, height!, Number(width) / block, Number(channels) * block];
}

function repeated({ type, data }: Constant, copies: number): Constant {
  const values = data as Float32Array;
  const all = new Float32Array(values.length * copies);
  for (let i = 0; i < copies; i++) all.set(values, i * values.length);
  return { type: { ...type, shape: [all.length] }, data: all };
}

/** The node that reads the result of another one, where nothing else does. */
function onlyReaderIn(graph: Graph): (node: Node) => Node | undefined {
  const [uses, readers] = [usesOf(graph), readersOf(graph.nodes)];
  return ({ outputs: [result] }) => (uses.get(result!) === 1 ? readers.get(result!)?.[0] : undefined);
}

function chainOf(graph: Graph, conv: Node, onlyReader: (node: Node) => Node | undefined): Chain | undefined {
  const filter = graph.constants.get(conv.inputs[1] ?? '');
  if (conv.op !== 'Conv2D' || !(filter?.data instanceof Float32Array) || graph.constants.has(conv.inputs[0]!))
    return undefined;
  const block = blockOf(graph, conv);
  if (block === undefined) return undefined;
  const nodes = [conv];
  const add = onlyReader(conv);
  const isBias = (name: string): boolean => {
    const { shape = [] } = graph.constants.get(name)?.type ?? {};
    return shape.length === 1 && shape[0] === filter.type.shape[3];
  };
  if (add?.op === 'Add' && add.inputs.some(isBias)) nodes.push(add);
  const activation = onlyReader(nodes.at(-1)!);
  if (activation?.op === 'Relu' || activation?.op === 'Relu6') nodes.push(activation);
  return { conv, nodes, block };
}

/** Columns that become channels for a convolution; undefined where that is not possible, not needed or not worth it. */
function blockOf(graph: Graph, conv: Node): number | undefined {
  const [rows, taps, channels, filters] = filterShape(graph, conv);
  const [width, given] = [conv.inputs[0]!, conv.outputs[0]!].map((name) => Number(graph.types.get(name)!.shape[2]));
  const stride = strideOf(conv);
  if (channels % READ === 0 || rows * taps === 1 || ints(conv.attrs, 'dilations')[1] !== 1) return undefined;
  if (given! * stride !== width) return undefined;
  return BLOCKS.find((block) => {
    const gives = (block / stride) * filters;
    if (width % block !== 0 || block % stride !== 0 || (block * channels) % READ !== 0) return false;
    if (gives < LEAST_GIVEN || gives % GIVEN !== 0) return false;
    const { first, last } = reach(conv, taps, block);
    const more = rows * channels * filters * ((last - first + 1) * block - taps);
    return more <= MULTIPLICATIONS_OF_A_COPY * rows * taps;
  });
}

function filterShape(graph: Graph, { inputs }: Node): [rows: number, taps: number, channels: number, filters: number] {
  return graph.constants.get(inputs[1]!)!.type.shape.map(Number) as [number, number, number, number];
}

/** The blocks of columns that the results of a block are computed from, relative to it. */
function reach({ attrs }: Node, taps: number, block: number): { first: number; last: number } {
  const left = ints(attrs, 'pads')[2]!;
  const stride = ints(attrs, 'strides')[1]!;
  return { first: Math.floor(-left / block), last: Math.floor((block - stride - left + taps - 1) / block) };
}

/** The filter [rows, blocks, block · channels, block / stride · filters], and the padding for it. */
function wideFilter(graph: Graph, conv: Node, block: number): { weights: Constant; pads: number[] } {
  const values = graph.constants.get(conv.inputs[1]!)!.data as Float32Array;
  const [rows, taps, channels, filters] = filterShape(graph, conv);
  const [top, bottom, left] = ints(conv.attrs, 'pads') as [number, number, number];
  const { first, last } = reach(conv, taps, block);
  const stride = strideOf(conv);
  const [blocks, gives] = [last - first + 1, block / stride];
  const wide = new Float32Array(rows * blocks * block * channels * gives * filters);
  for (let row = 0; row < rows; row++) {
    for (let result = 0; result < gives; result++) {
      for (let tap = 0; tap < taps; tap++) {
        // Place among all columns that the blocks hold; each of them has its channels.
        const column = row * blocks * block + result * stride - left + tap - first * block;
        for (let channel = 0; channel < channels; channel++) {
          const from = ((row * taps + tap) * channels + channel) * filters;
          const to = ((column * channels + channel) * gives + result) * filters;
          wide.set(values.subarray(from, from + filters), to);
        }
      }
    }
  }
  const shape = [rows, blocks, block * channels, gives * filters];
  return { weights: { type: { dtype: 'float32', shape }, data: wide }, pads: [top, bottom, -first, last] };
}
