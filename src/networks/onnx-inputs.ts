import { UserError } from '../base/errors.ts';
import type { InputPart } from '../data/dataset.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/types.ts';
import { checkParts } from './inputs.ts';

/** Graph with an input [batch, h, w, c] in front of one that is [batch, c, h, w]; `UserError` where the sizes are others. */
export function channelsLast(graph: Graph, file: string, sample: readonly number[]): Graph {
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
  const isFirst = isChannelsFirst(graph, name, sample);
  if (!isFirst && shape.slice(1).join() === sample.join()) return graph;
  if (!isFirst)
    throw new UserError(
      `${file}: its input ${name} is [${shape.join(', ')}], received samples of shape [${sample.join(', ')}]`,
      sample.length === 3
        ? 'Set dataset.resize and dataset.channels to what the model takes.'
        : 'Give data whose samples have that shape, as the model was trained on.',
    );
  return turned(graph, new Map([[name, sample]]));
}

/** The same for each of several inputs. `UserError` where they are not the parts of the samples. */
export function fedByParts(graph: Graph, file: string, parts: readonly InputPart[]): Graph {
  const first = parts.filter(({ name, shape }) => {
    const input = graph.inputs.get(name);
    return input?.dtype === 'float32' && isChannelsFirst(graph, name, shape);
  });
  const fed = first.length === 0 ? graph : turned(graph, new Map(first.map(({ name, shape }) => [name, shape])));
  checkParts(file, Object.fromEntries(fed.inputs), parts);
  return fed;
}

/**
 * True if an input [batch, c, h, w] takes samples [h, w, c], turned. Of pictures with as many channels as rows and columns the sizes do not tell:
 * such an input has its channels first if an operator of the file takes it so, and its reading brings them to the end.
 */
function isChannelsFirst({ inputs, nodes }: Graph, name: string, sample: readonly number[]): boolean {
  const [h, w, c] = sample;
  const own = inputs.get(name)!.shape.slice(1).join();
  if (sample.length !== 3 || own !== [c, h, w].join()) return false;
  if (own !== sample.join()) return true;
  return nodes.some(({ op, inputs: [x], attrs }) => op === 'Transpose' && x === name && String(attrs['perm']) === '0,2,3,1'); // prettier-ignore
}

/** The graph with inputs [batch, h, w, c] in place of those that are named, which are [batch, c, h, w]. */
function turned(graph: Graph, samples: ReadonlyMap<string, readonly number[]>): Graph {
  const builder = new GraphBuilder();
  for (const [name, type] of graph.inputs) {
    const sample = samples.get(name);
    builder.input(name, sample === undefined ? type : { dtype: type.dtype, shape: ['batch', ...sample] });
  }
  // The names in the file are taken.
  for (const { outputs } of graph.nodes) for (const value of outputs) builder.reserve(value);
  const places = new Map(
    [...samples.keys()].map((name) => [name, builder.op('Transpose', [name], { perm: [0, 3, 1, 2] })]),
  );
  const at = (value: string): string => places.get(value) ?? value;
  for (const [key, { type, data }] of graph.constants) builder.constant(type, data, key);
  for (const { op, inputs: from, attrs, layer, outputs } of graph.nodes)
    builder.node(op, from.map(at), attrs, { layer, outputs });
  for (const [key, value] of graph.outputs) builder.output(key, at(value));
  return builder.build();
}
