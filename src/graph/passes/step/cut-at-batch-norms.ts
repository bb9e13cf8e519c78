import { graphOf } from '../../builder.ts';
import type { Attrs, Graph, Node } from '../../types.ts';
import { rewrite } from '../rewrite.ts';
import type { Replacement } from '../rewrite.ts';

/** Prefix of a piece's outputs that later pieces are fed, by the name of the value. */
export const CARRIED = 'carried/';
/** Prefix of a piece's outputs whose sum over all parts of a batch later pieces are fed as `WHOLE` and the same number. */
export const PART = 'part/';
export const WHOLE_PREFIX = 'whole/';

/**
 * Cuts the gradient of a part of a batch where its batch norms need the statistics of the whole batch, forward and backward: graphs to be
 * computed one after another, each for all parts before the next (Zhang et al. 2018, "Context encoding for semantic segmentation",
 * appendix). Norms at the same depth share a cut. `share`: the input that holds the part's share of the samples of the batch.
 */
export function cutAtBatchNorms(graph: Graph, share: string): readonly Graph[] {
  if (graph.updates.size > 0)
    throw new Error('a graph that updates variables cannot be cut: its pieces would not see one state');
  return piecesOf(withMeans(graph, share));
}

/** Batch norms by the means over the whole batch, which come in as inputs; what each part gives for them is an output. */
function withMeans(graph: Graph, share: string): Graph {
  let means = 0;
  return rewrite(graph, (node, builder): Replacement => {
    const op = (name: string, inputs: readonly string[], attrs: Attrs = {}): string =>
      builder.op(name, inputs, attrs, node.layer);
    const over = (value: string): Attrs => {
      const { shape } = builder.typeOf(value);
      return { axes: Array.from({ length: shape.length - 1 }, (_, i) => i), keepDims: false };
    };
    const meanOf = (value: string): string => {
      const own = op('Multiply', [op('Mean', [value], over(value)), share]);
      means++;
      builder.output(`${PART}${means}`, own);
      return builder.input(`${WHOLE_PREFIX}${means}`, builder.typeOf(own));
    };
    if (node.op === 'BatchNormTrain') {
      const [x, scale, offset] = node.inputs as [string, string, string];
      const epsilon = node.attrs.epsilon as number;
      const mean = meanOf(x);
      const variance = meanOf(op('Square', [op('Sub', [x, mean])]));
      const small = builder.constant({ dtype: 'float32', shape: [] }, Float32Array.of(epsilon));
      const inverse = op('Rsqrt', [op('Add', [variance, small])]);
      return [op('FusedBatchNorm', [x, mean, variance, offset, scale], { epsilon }), mean, variance, inverse];
    }
    if (node.op === 'BatchNormTrainGrad') {
      const [dy, x, scale, mean, inverse] = node.inputs as [string, string, string, string, string];
      const normal = op('Multiply', [op('Sub', [x, mean]), inverse]);
      const product = op('Multiply', [dy, normal]);
      const toward = op('Multiply', [normal, meanOf(product)]);
      const inner = op('Sub', [op('Sub', [dy, meanOf(dy)]), toward]);
      const dx = op('Multiply', [inner, op('Multiply', [scale, inverse])]);
      return [dx, op('Sum', [product], over(product)), op('Sum', [dy], over(dy))];
    }
    return undefined;
  });
}

function piecesOf(graph: Graph): Graph[] {
  const depths = depthsOf(graph);
  const depthOf = (name: string): number => depths.get(name) ?? 0;
  const count = 1 + [...depths.values()].reduce((most, depth) => Math.max(most, depth), 0);
  const byDepth = <Of>(all: Iterable<Of>, of: (one: Of) => string): Of[][] => {
    const groups = Array.from({ length: count }, (): Of[] => []);
    for (const one of all) groups[depthOf(of(one))]!.push(one);
    return groups;
  };
  const nodes = byDepth(graph.nodes, ({ outputs }) => outputs[0]!);
  const results = byDepth(graph.outputs, ([, value]) => value);
  const lastRead = new Map(
    nodes.flatMap((of, depth) => of.flatMap(({ inputs }) => inputs.map((name) => [name, depth]))),
  );
  const made = nodes.flatMap((of) => of.flatMap(({ outputs }) => outputs));
  const names = [...graph.inputs.keys(), ...made, ...graph.state.keys(), ...graph.constants.keys()];
  const places = new Map(names.map((name, i) => [name, i]));
  return nodes.map((of, depth) => {
    const own = new Set(of.flatMap(({ outputs }) => outputs));
    const read = new Set([...of.flatMap(({ inputs }) => inputs), ...results[depth]!.map(([, value]) => value)]);
    return pieceOf(graph, of, {
      results: results[depth]!,
      carried: [...own].filter((name) => (lastRead.get(name) ?? 0) > depth),
      given: [...read].filter((name) => !own.has(name)).sort((one, other) => places.get(one)! - places.get(other)!),
    });
  });
}

/** Number of sums over all parts that a value has to wait for, one behind another. Inputs that are none, variables and constants: 0. */
function depthsOf({ inputs, nodes, outputs }: Graph): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const found = depths.get(name);
    if (found !== undefined || !name.startsWith(WHOLE_PREFIX) || !inputs.has(name)) return found ?? 0;
    const depth = 1 + depthOf(outputs.get(PART + name.slice(WHOLE_PREFIX.length))!);
    depths.set(name, depth);
    return depth;
  };
  for (const node of nodes) {
    const depth = Math.max(0, ...node.inputs.map(depthOf));
    for (const name of node.outputs) depths.set(name, depth);
  }
  return depths;
}

interface Ends {
  readonly results: readonly (readonly [string, string])[];
  readonly carried: readonly string[];
  /** Inputs, values that pieces before this one make, variables and constants. */
  readonly given: readonly string[];
}

function pieceOf(graph: Graph, nodes: readonly Node[], { results, carried, given }: Ends): Graph {
  const read = <T>(all: ReadonlyMap<string, T>): Map<string, T> =>
    new Map(given.flatMap((name) => (all.has(name) ? [[name, all.get(name)!]] : [])));
  const [state, constants] = [read(graph.state), read(graph.constants)];
  const inputs = given.filter((name) => !state.has(name) && !constants.has(name));
  return graphOf({
    state,
    constants,
    nodes,
    updates: new Map(),
    inputs: new Map(inputs.map((name) => [name, graph.types.get(name)!])),
    outputs: new Map([...results, ...carried.map((name) => [CARRIED + name, name] as const)]),
  });
}
