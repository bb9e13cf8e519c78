import { UserError } from '../../base/errors.ts';
import { fedShapes } from '../../data/axes.ts';
import type { FedShape } from '../../data/axes.ts';
import type { InputPart } from '../../data/dataset.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/types.ts';
import { checkParts } from '../inputs.ts';

/** Adds an input [batch, ...sample] before an input that takes samples in another layout; `UserError` for other sizes. */
export function fedBySamples(graph: Graph, file: string, sample: readonly number[]): Graph {
  const inputs = [...graph.inputs];
  if (inputs.length !== 1)
    throw new UserError(
      `${file}: expected one input, received ${inputs.map(([name]) => name).join(', ')}`,
      'Give the data an array for each of them (`type: npz`, `samples: [name, name]`), or export the model with the picture or the features as its only input.',
    );
  const [name, { dtype, shape }] = inputs[0]!;
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'int64')
    throw new UserError(
      `${file}: its input ${name} is ${dtype}, expected float32, int32 or int64`,
      'Export the part of the model that is fed numbers.',
    );
  const fed = fedAs(graph, name, sample);
  if (fed === undefined)
    throw new UserError(
      `${file}: its input ${name} is [${shape.join(', ')}], received samples of shape [${sample.join(', ')}]`,
      shapeRemedy(shape.slice(1), sample),
    );
  return reshaped(graph, new Map([[name, { sample, fed }]]));
}

/** Remedy for samples of another shape than an input's. */
function shapeRemedy(own: readonly unknown[], sample: readonly number[]): string {
  if (own.length === 3 && sample.length === 3)
    return 'Set dataset.resize and dataset.channels to what the model takes.';
  if (own.length === 3 && sample.length === 2)
    return 'Samples of two axes are sequences: pictures are told by `dataset.layout: nhwc` (npz), or by a `dataset.shape` of three axes.';
  return 'Give data whose samples have that shape, as the model was trained on.';
}

/** Like `fedBySamples`, for each of several inputs. `UserError` if they do not match the parts of the samples. */
export function fedByParts(graph: Graph, file: string, parts: readonly InputPart[]): Graph {
  const ways = parts.flatMap(({ name, shape: sample }) => {
    const fed = graph.inputs.get(name)?.dtype === 'float32' ? fedAs(graph, name, sample) : undefined;
    return fed === undefined ? [] : [[name, { sample, fed }] as const];
  });
  const fed = reshaped(graph, new Map(ways));
  checkParts(file, Object.fromEntries(fed.inputs), parts);
  return fed;
}

interface Way {
  /** Shape of a sample in the data. */
  readonly sample: readonly number[];
  readonly fed: FedShape;
}

/**
 * Shape in which an input takes samples; undefined if it cannot. For pictures with as many channels as rows and columns, sizes do not tell the
 * layout: such an input has channels first if an operator of the file reads it so. The order of colours flattened into one row is unknowable.
 */
function fedAs({ inputs, nodes }: Graph, name: string, sample: readonly number[]): FedShape | undefined {
  const inputShape = inputs.get(name)!.shape.slice(1).join();
  const isInOrder = sample.length < 3 || sample.at(-1) === 1;
  const ways = fedShapes(sample).filter(
    ({ shape }) => shape.join() === inputShape && (shape.length > 1 || isInOrder || sample.length === 1),
  );
  const perm = toLast(sample.length).join();
  const isFirst =
    sample.length > 2 &&
    nodes.some(({ op, inputs: [x], attrs }) => op === 'Transpose' && x === name && String(attrs['perm']) === perm);
  const both = ways.length > 1 ? ways.filter(({ layout }) => (layout === 'nchw') === isFirst) : ways;
  return both[0];
}

/** Permutation that moves channels from behind the batch to the end. */
function toLast(rank: number): number[] {
  return [0, ...Array.from({ length: rank - 1 }, (_, i) => i + 2), 1];
}

/** The graph with inputs [batch, ...sample] instead of the named ones. */
function reshaped(graph: Graph, ways: ReadonlyMap<string, Way>): Graph {
  const others = [...ways].filter(([, { sample, fed }]) => fed.layout === 'nchw' || fed.shape.join() !== sample.join());
  if (others.length === 0) return graph;
  const changed = new Map(others);
  const builder = new GraphBuilder();
  for (const [name, type] of graph.inputs) {
    const way = changed.get(name);
    builder.input(name, way === undefined ? type : { dtype: type.dtype, shape: ['batch', ...way.sample] });
  }
  // Reserve the names that the file already uses.
  for (const { outputs } of graph.nodes) for (const value of outputs) builder.reserve(value);
  const places = new Map(
    others.map(([name, { sample, fed }]) => [
      name,
      fed.layout === 'nchw'
        ? builder.op('Transpose', [name], { perm: [0, sample.length, ...sample.slice(1).map((_, i) => i + 1)] })
        : builder.op('Reshape', [name], { shape: ['batch', ...fed.shape] }),
    ]),
  );
  const at = (value: string): string => places.get(value) ?? value;
  for (const [key, { type, data }] of graph.constants) builder.constant(type, data, key);
  for (const { op, inputs: from, attrs, layer, outputs } of graph.nodes)
    builder.node(op, from.map(at), attrs, { layer, outputs });
  for (const [key, value] of graph.outputs) builder.output(key, at(value));
  return builder.build();
}
