import { monotonicMs } from '../../base/clock.ts';
import { mean } from '../../base/statistics.ts';
import { InterruptedError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import { adaround } from '../../compress/quantize/adaround/adaround.ts';
import type { AdaRoundState, LayerRounding } from '../../compress/quantize/adaround/adaround.ts';
import type { Samples } from '../../compress/quantize/observe.ts';
import type { Safetensors, StoredTensor } from '../../formats/safetensors.ts';
import type { DenseScales } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { usualAdaround } from '../../recipe/schema/compress.ts';
import type { Int8AfterTraining } from '../../recipe/schema/compress.ts';
import type { StageContext } from '../context.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { progressOf } from '../../train/progress.ts';
import { prepareInt8 } from '../../ship/quantize.ts';
import type { Prepared } from '../../ship/quantize.ts';

export interface PtqStep {
  /** Place in the recipe, from 0. */
  readonly number: number;
  readonly settings: Int8AfterTraining;
  readonly samples: Samples;
  readonly dense: DenseScales;
  /** Layers that stay in float, see `keptFloat`. */
  readonly kept: readonly string[];
}

/** A graph ready to be written in int8 as a step of the recipe asks; `notes` for the report. */
export async function prepareStep(
  context: StageContext,
  graph: Graph,
  step: PtqStep,
): Promise<{ prepared: Prepared; notes: readonly string[] }> {
  const { recipe } = context;
  const { settings } = step;
  const isAdaptive = settings.rounding === 'adaround';
  const ptq = { ...settings, dense: step.dense, kept: step.kept, ...(isAdaptive && { biasCorrection: false }) };
  const onProgress = progressOf(context, `quantize-${step.number + 1}`);
  const prepared = await prepareInt8(recipe, graph, ptq, step.samples, onProgress);
  return isAdaptive ? roundAdaptively(context, prepared, step) : { prepared, notes: [] };
}

/** Adaptive rounding, which continues from the saved state, if there is one: a run that was killed here ends with the same bits. */
async function roundAdaptively(
  context: StageContext,
  prepared: Prepared,
  { number, settings, samples, dense, kept }: PtqStep,
): Promise<{ prepared: Prepared; notes: readonly string[] }> {
  const { recipe, engine, onEvent, signal, saveEveryMs } = context;
  const { iterations } = settings.adaround ?? usualAdaround;
  const stage = `adaround-${number + 1}`;
  const states = context.states(stage);
  const { state: resume, seconds: before } = restored(await states.load(), dense);
  onEvent({
    ...{ type: 'stage', stage, title: 'rounding weights so that outputs of layers stay what they are' },
    ...(resume !== undefined && { resumedAt: `layer ${resume.layers.length + 1}, step ${resume.iteration}` }),
  });
  const start = monotonicMs();
  const seconds = (): number => before + (monotonicMs() - start) / 1000;
  let savedAt = start;
  let told = resume?.layers.length ?? 0;
  // A stop is seen to below, where the state is saved.
  const tell = progressOf({ onEvent }, stage, {
    from: (resume?.layers.length ?? 0) * iterations + (resume?.iteration ?? 0),
  });
  const { result, layers } = await adaround(prepared.graph, prepared.quantization, samples, {
    ...{ engine, session: sessionOptionsOf(recipe), iterations, resume },
    seed: new RandomStream(recipe.seed, 'adaround', number).uint32(),
    keepFloat: (layer) => kept.includes(layer),
    onStep: async ({ done, layers: all, iteration, last, state }) => {
      tell('step', done * iterations + iteration, all * iterations);
      if (done > told && last !== undefined) onEvent({ type: 'message', message: sentence(last) });
      const isDone = done > told;
      told = done;
      const isStopped = signal?.aborted === true;
      const due = isDone ? saveEveryMs / 5 : saveEveryMs;
      if (isStopped || done === all || monotonicMs() - savedAt > due) {
        await states.save(stored(await state(), { seconds: seconds(), dense }));
        savedAt = monotonicMs();
      }
      if (isStopped && done < all) throw new InterruptedError(`stopped ${stage} after ${done} of ${all} layers`);
    },
  });
  await context.done(stage, seconds(), {}, { method: 'adaround', scheme: settings.scheme, layers });
  return {
    prepared: { ...prepared, graph: result },
    notes: layers.length === 0 ? [] : [`${stage}: ${summary(layers)}`],
  };
}

function sentence({ layer, nearest, adaptive, moved }: LayerRounding): string {
  const share = (100 * moved).toFixed(1);
  return `  ${layer}: error ${nearest.toExponential(2)} → ${adaptive.toExponential(2)}, ${share} % of the weights not at the nearest step`;
}

function summary(layers: readonly LayerRounding[]): string {
  const less = layers.map(({ nearest, adaptive }) => (nearest === 0 ? 0 : 1 - adaptive / nearest));
  return `the squared error of what a layer gives is ${(100 * mean(less)).toFixed(1)} % smaller, on average over ${less.length} layers, than with weights at the nearest step`;
}

const STEPS = 'steps/';
const SEARCH = 'search/';

interface Progress {
  readonly layers: readonly LayerRounding[];
  readonly iteration: number;
  readonly seconds: number;
  /** Scales of the weights, which fix the rounding steps. Absent: a scale for each output. */
  readonly dense?: DenseScales;
}

function stored(
  { layers, steps, iteration, variables }: AdaRoundState,
  rest: Pick<Progress, 'seconds' | 'dense'>,
): Safetensors {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, data] of steps) tensors.set(STEPS + name, { dtype: 'int8', shape: [data.length], data });
  for (const [name, { type, data }] of variables)
    tensors.set(SEARCH + name, { dtype: type.dtype, shape: type.shape as readonly number[], data });
  const progress: Progress = { layers, iteration, ...rest };
  return { tensors, metadata: { adaround: JSON.stringify(progress) } };
}

/** Saved state of the search; undefined if its steps belong to other scales. */
function restored(
  saved: Safetensors | undefined,
  wanted: DenseScales,
): { readonly state: AdaRoundState | undefined; readonly seconds: number } {
  if (saved === undefined) return { state: undefined, seconds: 0 };
  const { tensors, metadata } = saved;
  const { layers, iteration, seconds, dense = 'channel' } = JSON.parse(metadata['adaround']!) as Progress;
  if (dense !== wanted) return { state: undefined, seconds: 0 };
  const under = (prefix: string): [string, StoredTensor][] =>
    [...tensors].flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : []));
  const steps = new Map(under(STEPS).map(([name, { data }]) => [name, data as Int8Array]));
  const variables = new Map(
    under(SEARCH).map(([name, { dtype, shape, data }]) => [name, { type: { dtype, shape }, data }]),
  );
  return { state: { layers, steps, iteration, variables }, seconds };
}
