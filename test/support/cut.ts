import { RandomStream } from '../../src/base/random.ts';
import { dependencies } from '../../src/compress/prune/groups.ts';
import type { Dependencies } from '../../src/compress/prune/groups.ts';
import { cut, storedBy } from '../../src/compress/prune/prune.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { freezeState } from '../../src/graph/passes/constants/freeze-state.ts';
import type { Graph } from '../../src/graph/types.ts';
import type { ModelNetwork } from '../../src/networks/network.ts';
import type { State } from '../../src/runtime/engine.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';

export interface CutByChance {
  readonly found: Dependencies;
  readonly before: State;
  readonly after: State;
  /** Answers of the whole network, of the one in which the removed channels are zero, and of the one without them. */
  readonly whole: Float32Array;
  readonly zeroed: Float32Array;
  readonly without: Float32Array;
  readonly network: ModelNetwork;
}

/**
 * About half of the channels of every group of a graph network, chosen by chance, set to zero and cut out: ONNX Runtime answers with
 * both. Variances of batch norms stay what they are, as nothing is divided by zero.
 */
export async function cutByChance(
  network: ModelNetwork,
  x: { readonly data: Float32Array; readonly shape: readonly number[] },
): Promise<CutByChance> {
  const graph = network.graph!.value;
  const before: State = new Map(
    Object.entries(network.state).map(([name, one]) => {
      const type = { dtype: 'float32', shape: one.shape } as const;
      return [name, { type, data: one.dataSync().slice() as Float32Array }] as const;
    }),
  );
  const found = dependencies(network);
  const random = new RandomStream('cut');
  const scores = found.groups.map(({ channels }) => Float64Array.from({ length: channels }, () => random.uniform()));
  const counts = found.groups.map(({ channels }) => Math.max(1, Math.ceil(channels * (0.35 + 0.3 * random.uniform()))));
  const { network: narrow, weights: after } = await cut(network, before, found, scores, counts);
  const zeroed = withoutLeast(graph, found, storedBy(found, before), scores, counts);
  const constants = new Map([...graph.constants.keys()].map((name) => [name, zeroed.get(name)!]));
  return {
    ...{ found, before, after, network: narrow },
    whole: await answer(freezeState(graph, before), x),
    zeroed: await answer(freezeState({ ...graph, constants }, zeroed), x),
    without: await answer(freezeState(narrow.graph!.value, after), x),
  };
}

/** The largest difference of two answers, as a part of the largest number in the second. */
export function differenceOf(a: Float32Array, b: Float32Array): number {
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / scale;
}

function withoutLeast(
  graph: Graph,
  { groups }: Dependencies,
  stored: State,
  scores: readonly Float64Array[],
  counts: readonly number[],
): State {
  const out = new Map([...stored].map(([name, { type, data }]) => [name, { type, data: data.slice() }]));
  const variances = new Set(graph.nodes.flatMap(({ op, inputs }) => (op === 'FusedBatchNorm' ? [inputs[2]!] : [])));
  groups.forEach(({ members }, g) => {
    const least = [...scores[g]!.keys()].sort((a, b) => scores[g]![b]! - scores[g]![a]! || a - b).slice(counts[g]);
    for (const { weight, axis, positions } of members) {
      if (variances.has(weight)) continue;
      const { type, data } = out.get(weight)!;
      const shape = type.shape.map(Number);
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const gone = new Set(least.flatMap((channel) => positions[channel]!));
      data.forEach((_, i) => {
        if (gone.has(Math.floor(i / inner) % shape[axis]!)) data[i] = 0;
      });
    }
  });
  return out;
}

async function answer(graph: Graph, x: { readonly data: Float32Array; readonly shape: readonly number[] }) {
  const session = new InferenceModel(encodeModel(lowerToOnnx(graph)), 'cut', { logSeverityLevel: 3 });
  const [result] = Object.values(await session.run({ [session.inputs[0]!.name]: x }));
  session.dispose();
  return result!.data as Float32Array;
}
