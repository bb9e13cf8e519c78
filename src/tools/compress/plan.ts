import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import { pruneChannels } from '../../compress/prune/prune.ts';
import { encodeModel } from '../../formats/onnx/protobuf.ts';
import { exportQdq } from '../../formats/onnx/qdq/qdq.ts';
import { compareLatency } from '../../measure/latency/compare.ts';
import type { Latency } from '../../measure/latency/findings.ts';
import { measureLatency } from '../../measure/latency/latency.ts';
import { sourceOf } from '../../measure/latency/variants.ts';
import type { ModelNetwork } from '../../networks/network.ts';
import { contentOf } from '../../networks/network.ts';
import { madeUp } from '../../ship/convert/made-up.ts';
import { inferenceGraph } from '../../ship/export.ts';
import { prepareInt8 } from '../../compress/quantize/prepare.ts';
import { openerFor } from '../../runtime/recipe-options.ts';
import type { Budget } from './budget.ts';
import type { CompressedModel } from './model.ts';

/** Factors by which removing channels reduces a model, in addition to 8 bits. */
export const cutsSchema = z.strictObject({ macs: z.number().min(1), parameters: z.number().min(1) });
export type Cuts = z.infer<typeof cutsSchema>;

/** Candidate factors of multiply-accumulates; 1 is the whole model in 8 bits. */
const TRIED = [1, 1.5, 2.2, 3.3, 5];

/** Safety margin: medians are mostly precise to 3 %, and the final cut removes other channels. */
const MARGIN = 1.08;

/** A candidate cut: factors of size and speed of its int8 file relative to the original. */
export interface Trial {
  readonly macs: number;
  readonly size: number;
  readonly speed: number;
  /** 99 % interval of it; null with too few sessions, or untimed. */
  readonly interval: readonly [number, number] | null;
}

interface Timing {
  /** Maximum seconds for all files together. Default 8. */
  readonly seconds?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

const ORIGINAL = 'original';

/**
 * The cuts that a budget needs. The gain of narrower layers and 8 bits depends on model and machine, so files are made and timed beside the original:
 * int8, without the channels of smallest norm, untrained, because training changes neither size nor latency.
 */
export async function cutsFor(
  { file, bytes, network }: Pick<CompressedModel, 'file' | 'bytes' | 'network'>,
  budget: Pick<Budget, 'size' | 'latency'>,
  { seconds = 8, onProgress }: Timing = {},
): Promise<{ readonly cuts: Cuts; readonly trials: readonly Trial[] }> {
  const files = [];
  for (const [i, macs] of TRIED.entries()) {
    onProgress?.('cut that is tried', i + 1, TRIED.length);
    files.push({ macs, bytes: await int8Of(network, macs) });
  }
  const named = [{ name: ORIGINAL, bytes }, ...files.map((made) => ({ name: `${made.macs}`, bytes: made.bytes }))];
  const rowOf = budget.latency === 1 ? undefined : await timed(file, named, { network, seconds, onProgress });
  const trials = files.map(({ macs, bytes: { length } }): Trial => {
    const { ratio, interval } = rowOf
      ? compareLatency(rowOf(ORIGINAL), rowOf(`${macs}`))
      : { ratio: 1, interval: null };
    return { macs, size: bytes.length / length, speed: ratio, interval };
  });
  const macs = reaching(trials, ({ speed }) => speed, budget.latency === 1 ? 1 : MARGIN * budget.latency);
  const size = between(trials, macs, (trial) => trial.size);
  const parameters = budget.size === 1 ? 1 : Math.max(1, (MARGIN * budget.size) / size);
  return { cuts: { macs: rounded(macs), parameters: rounded(parameters) }, trials };
}

/** Latencies of a sample on one thread, by the name of a file; `UserError` for a file that cannot be timed. */
async function timed(
  file: string,
  named: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  { network, seconds = 8, onProgress }: Timing & { readonly network: ModelNetwork },
): Promise<(name: string) => Latency> {
  const sampleShape = Object.values(network.inputs)[0]!.shape.slice(1).map(Number);
  const options = { batchSizes: [1], threads: [1], sampleShape };
  const sources = named.map((one) => sourceOf({ ...one, format: '.onnx' }, options));
  const { rows, skipped } = await measureLatency(sources, {
    budgetMs: 1000 * seconds,
    precision: 0.03,
    ...(onProgress && { onProgress }),
  });
  return (name) => {
    const row = rows.find((one) => one.name === name);
    if (row !== undefined) return row;
    const why = skipped.find(({ what }) => what.startsWith(name))?.why ?? 'it took too long';
    throw new UserError(
      `${file}: its ${name === ORIGINAL ? 'latency' : 'int8 file'} could not be timed in ONNX Runtime: ${why}`,
      'Ask for size alone: --budget latency=1.',
    );
  };
}

async function int8Of(network: ModelNetwork, macs: number): Promise<Uint8Array> {
  const weights = contentOf(network);
  const whole = { network, weights };
  const cut =
    macs === 1 ? whole : (await pruneChannels(network, weights, { target: 'macs', amount: 1 - 1 / macs })).result;
  const graph = inferenceGraph(cut, []);
  const step = { scheme: 'int8', calibrator: 'minmax', dense: 'channel', kept: [] } as const;
  const prepared = await prepareInt8(openerFor({ device: 'cpu', threads: 0 }), graph, step, madeUp(graph.inputs));
  if (cut !== whole) cut.network.dispose();
  return encodeModel(exportQdq(prepared.graph, prepared.quantization, {}).result);
}

/** Share of the best speed that counts as equal, given the precision of timings. */
const NEARLY = 0.95;

/**
 * Smallest factor of multiply-accumulates that reaches a measure. If none does, as in models too small for products to dominate the latency, the
 * smallest that is nearly as good as the best: a further cut would cost accuracy for nothing.
 */
function reaching(trials: readonly Trial[], of: (trial: Trial) => number, wanted: number): number {
  const best = Math.max(...trials.map(of));
  const at = trials.findIndex((trial) => of(trial) >= Math.min(wanted, NEARLY * best));
  if (at === 0 || best < wanted) return trials[at]!.macs;
  const [before, after] = [trials[at - 1]!, trials[at]!];
  const share = Math.log(wanted / of(before)) / Math.log(of(after) / of(before));
  return before.macs * (after.macs / before.macs) ** share;
}

/** Measure at a factor between candidates, interpolated. */
function between(trials: readonly Trial[], macs: number, of: (trial: Trial) => number): number {
  const at = Math.max(
    1,
    trials.findIndex((trial) => trial.macs >= macs),
  );
  const [before, after] = [trials[at - 1]!, trials[at]!];
  return of(before) * (of(after) / of(before)) ** (Math.log(macs / before.macs) / Math.log(after.macs / before.macs));
}

const rounded = (factor: number): number => Math.ceil(20 * factor) / 20;
