import type { Task } from '../../tasks/task.ts';
import { batchFeeds, fedTo, samplesInBatch } from '../../train/step/batch.ts';
import type { TrainingBatch } from '../../train/step/batch.ts';
import { partSizes, partsOf } from '../../train/parallel/cut.ts';
import { sizeWithin } from '../../train/evaluate/predict.ts';
import type { CompiledStep, Engine, State } from '../../runtime/engine.ts';
import type { StepProgram } from '../../trace/program.ts';
import type { ChannelGroup, GroupMember } from './groups.ts';
import { addSums } from './importance.ts';

export interface TaylorOptions {
  readonly engine: Engine;
  /** Program that gives gradient times weight for every trainable variable, see `saliencyProgram`. */
  readonly program: (batchSize: number) => StepProgram;
  readonly weights: State;
  readonly task: Task;
  /** Training batches, of one size. */
  readonly batches: AsyncIterable<TrainingBatch> | Iterable<TrainingBatch>;
  /** The loss' scalars. */
  readonly hyper: Readonly<Record<string, number>>;
  /** Most samples that are computed at once; default: a batch. */
  readonly microBatch?: number | undefined;
}

/** Most memory that is taken without being told: batches that take more are computed in parts. */
const MOST_BYTES = 2 ** 32;

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
  const steps = new Map<number, CompiledStep>();
  const sized = async (size: number): Promise<CompiledStep> => {
    if (!steps.has(size)) steps.set(size, await loaded(engine, program(size), weights));
    return steps.get(size)!;
  };
  let { microBatch } = options;
  let count = 0;
  try {
    for await (const batch of batches) {
      microBatch ??= await sizeWithin(samplesInBatch(batch, task), MOST_BYTES, sized, (size) => steps.delete(size));
      const all = groups.map(({ channels }) => new Float64Array(channels));
      for (const { batch: part, share } of partsOf(batch, partSizes(samplesInBatch(batch, task), microBatch), task)) {
        const step = await sized(samplesInBatch(part, task));
        const feeds = {
          ...batchFeeds(part, task, `importance, batch ${count + 1}`),
          ...Object.fromEntries(scalars),
        };
        const products = await step.run(fedTo(step, feeds), count);
        groups.forEach((group, g) => {
          const sums = new Float64Array(group.channels);
          for (const member of gatesOf(group)) {
            const data = products[member.weight];
            // A frozen layer has no gradient.
            if (data !== undefined) addSums(sums, member, { type: weights.get(member.weight)!.type, data }, identity);
          }
          sums.forEach((sum, channel) => (all[g]![channel]! += share * sum));
        });
      }
      all.forEach((sums, g) => sums.forEach((sum, channel) => (scores[g]![channel]! += sum * sum)));
      count++;
    }
  } finally {
    for (const step of steps.values()) await step.dispose();
  }
  return scores.map((of) => of.map((score) => score / Math.max(1, count)));
}

const identity = (value: number): number => value;

async function loaded(engine: Engine, program: StepProgram, weights: State) {
  // Some losses mask at random.
  const step = await engine.compile(program, { randomKey: ['importance'] });
  await step.load(weights);
  return step;
}

/** The weights that scale the whole output of the layers that make the channels. */
function gatesOf({ members, layers }: ChannelGroup): readonly GroupMember[] {
  const gates = members.filter(({ isGate }) => isGate);
  if (gates.length > 0) return gates;
  return members.filter(({ role, layer }) => role === 'out' || (role === 'other' && layers.includes(layer)));
}
