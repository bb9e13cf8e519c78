import type { Task } from '../../tasks/task.ts';
import { batchFeeds, samplesOf } from '../../train/batch.ts';
import type { TrainingBatch } from '../../train/batch.ts';
import type { Engine, State } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import type { ChannelGroup, Member } from './groups.ts';
import { addSums } from './importance.ts';

export interface TaylorOptions {
  readonly engine: Engine;
  /** Gives gradient times weight of every trainable variable, see `saliencyProgram`. */
  readonly program: (batchSize: number) => StepProgram;
  readonly weights: State;
  readonly task: Task;
  /** Training batches, of one size. */
  readonly batches: AsyncIterable<TrainingBatch> | Iterable<TrainingBatch>;
  /** The loss' scalars. */
  readonly hyper: Readonly<Record<string, number>>;
}

/**
 * First-order importance of channels (Molchanov et al. 2019, "Importance estimation for neural network pruning", equation 8
 * and section 3.3): the square of Σ gradient · weight over what the channel goes through, mean over batches. Where a batch
 * norm stands behind a layer that is its scale and offset, elsewhere the layer's filter and bias. Squared batch by batch: over
 * the whole data the gradients of a trained model add up to nearly nothing.
 */
export async function taylorScores(groups: readonly ChannelGroup[], options: TaylorOptions): Promise<Float64Array[]> {
  const { engine, program, weights, task, batches, hyper } = options;
  const scalars = Object.entries(hyper).map(([name, value]) => [`hyper/${name}`, Float32Array.of(value)] as const);
  const scores = groups.map(({ channels }) => new Float64Array(channels));
  let step: Awaited<ReturnType<Engine['compile']>> | undefined;
  let count = 0;
  try {
    for await (const batch of batches) {
      step ??= await loaded(engine, program(samplesOf(batch, task)), weights);
      const all = { ...batchFeeds(batch, task, `importance, batch ${count + 1}`), ...Object.fromEntries(scalars) };
      const inputs = step.inputs;
      const products = await step.run(Object.fromEntries(Object.entries(all).filter(([name]) => inputs.has(name))));
      groups.forEach((group, g) => {
        const sums = new Float64Array(group.channels);
        for (const member of gatesOf(group)) {
          const data = products[member.weight];
          // A frozen layer has no gradient.
          if (data !== undefined) addSums(sums, member, { type: weights.get(member.weight)!.type, data }, identity);
        }
        sums.forEach((sum, channel) => (scores[g]![channel]! += sum * sum));
      });
      count++;
    }
  } finally {
    await step?.dispose();
  }
  return scores.map((of) => of.map((score) => score / Math.max(1, count)));
}

const identity = (value: number): number => value;

async function loaded(engine: Engine, program: StepProgram, weights: State) {
  const step = await engine.compile(program);
  await step.load(weights);
  return step;
}

/** The weights that scale the whole output of the layers that make the channels. */
function gatesOf({ members, layers }: ChannelGroup): readonly Member[] {
  const gates = members.filter(({ isGate }) => isGate);
  if (gates.length > 0) return gates;
  const own = (weight: string): boolean => layers.includes(weight.slice(0, weight.indexOf('/')));
  return members.filter(({ role, weight }) => role === 'out' || (role === 'other' && own(weight)));
}
