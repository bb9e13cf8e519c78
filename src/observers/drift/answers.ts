import type { Log } from '../../base/log.ts';
import type { InferAnswer } from '../../serve/batch/queue.ts';
import { classesOutput } from '../../serve/model.ts';
import type { ServedModel } from '../../serve/model.ts';
import { typedView } from '../../serve/v2/json-tensor.ts';
import { ALERT } from './watch.ts';
import type { DriftWatch } from './watch.ts';

/** Samples between two looks at how the window has changed, for the log. */
const LOOK_EVERY = 50;

/** Adds an answer to the statistics of a model's answers. The log gets one line when they drift, and one when they are back. */
export function watchAnswer(model: ServedModel, watch: DriftWatch, { outputs }: InferAnswer, log: Log): void {
  const { metadata, name } = model;
  const output = outputs.find((one) => one.name === classesOutput(model));
  if (output === undefined || metadata.get('output') !== 'logits') return;
  if (output.shape.at(-1) !== watch.width) return;
  const before = Math.floor(watch.seen / LOOK_EVERY);
  watch.add(typedView(output.dtype, output.shape, output.bytes) as Float32Array);
  if (Math.floor(watch.seen / LOOK_EVERY) === before) return;
  const { drift, samples } = watch;
  if (drift === undefined) return;
  const [aspect, psi] = Object.entries(drift.psi).sort(([, a], [, b]) => b - a)[0]!;
  if (!watch.isTold && psi > ALERT) {
    watch.isTold = true;
    const sentence = `its answers to the last ${samples} samples are not as they were on the data that it was measured on`;
    log.write('warn', `${name}: ${sentence}: ${aspect} differs most, with a stability index of ${psi.toFixed(2)}`);
  } else if (watch.isTold && psi < ALERT / 2) {
    watch.isTold = false;
    log.write('info', `${name}: its answers are again as they were on the data that it was measured on`);
  }
}
