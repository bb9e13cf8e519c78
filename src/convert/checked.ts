import { beyondBudget } from './budgets.ts';
import { likenessTo, openIn } from './compare.ts';
import type { AnsweringModel, Runtimes } from './compare.ts';
import { conversionsOf } from './convert.ts';
import type { Conversion, ConversionOptions, ReadSource, TracedConversion } from './convert.ts';
import { withFirstLayer } from './first-layer.ts';
import { CLEARLY_DB, leastDb } from './likeness.ts';
import type { OutputLikeness } from './likeness.ts';
import type { SplitRows } from './rows.ts';
import { openerIn } from './runtime.ts';

/** A new file beside its source. */
export interface CheckedConversion extends Conversion {
  /** Likeness of each output to that of the source. */
  readonly outputs: readonly OutputLikeness[];
  /** True if the samples of the comparison did not calibrate the file that answered them. */
  readonly isHeldOut: boolean;
  /** Sentences on outputs that differ from the source by more than the precision explains; `limbeck export` refuses such a file. */
  readonly beyond: readonly string[];
}

/** Options of a conversion on samples that are split. */
export type CheckedOptions = Omit<ConversionOptions, 'samples' | 'correctBiases' | 'stream'>;

/**
 * Converts a model and compares the file with its source as `limbeck export --from` does: on samples that are held out, or, of few, on each quarter of
 * them in a file that the others calibrate. Of a file with corrected biases and one without, the file that answers better is kept. `source`: the model
 * that is converted, in the runtime.
 */
export async function convertChecked(
  model: ReadSource,
  source: AnsweringModel,
  options: CheckedOptions,
  { calibration, check, folds, calibrated }: SplitRows,
  runtimes: Runtimes,
): Promise<CheckedConversion> {
  const { onProgress, precision = 'fp32' } = options;
  const make = (samples: SplitRows['calibration']) => conversionsOf(model, { ...options, samples });
  const whole = await make(calibration);
  const parts: Awaited<ReturnType<typeof make>>[] = [];
  const name = precision === 'int8-weights' ? 'dynamic-int8' : precision;
  const beyondOf = (outputs: readonly OutputLikeness[]): string[] =>
    outputs.flatMap((output) => beyondBudget(output, name) ?? []);
  const compared = async (
    made: readonly { readonly file: TracedConversion; readonly samples: SplitRows['check'] }[],
  ): Promise<readonly OutputLikeness[]> => {
    const opened: AnsweringModel[] = [];
    try {
      for (const { file } of made)
        opened.push(await openIn(runtimes, [...file.conversion.files.values()][0]!, 'the new file'));
      const each = made.map(({ samples }, i) => ({ model: opened[i]!, samples }));
      const total = each.reduce((sum, { samples }) => sum + samples.length, 0);
      let done = 0;
      return await likenessTo(source, each, () => onProgress?.('comparing with the source, batch', ++done, total));
    } finally {
      for (const one of opened) one.dispose();
    }
  };
  const told = async (
    { conversion, traced }: TracedConversion,
    outputs: readonly OutputLikeness[],
    samples: SplitRows['check'],
  ): Promise<Omit<CheckedConversion, 'isHeldOut'>> => {
    const beyond = beyondOf(outputs);
    const { onnx, tflite } = runtimes;
    const open = onnx && openerIn(onnx);
    return {
      ...conversion,
      outputs,
      beyond:
        open === undefined ? beyond : await withFirstLayer(beyond, model.graph, traced, samples, { open, tflite }),
    };
  };
  const checked = async (of: (made: typeof whole) => TracedConversion): Promise<CheckedConversion> => {
    const file = of(whole);
    const own = await compared([{ file, samples: check }]);
    // The file that is written must be sound on its own samples too.
    if (folds.length === 0 || beyondOf(own).length > 0)
      return { ...(await told(file, own, check)), isHeldOut: folds.length === 0 && calibrated !== 1 };
    for (const fold of folds.slice(parts.length)) parts.push(await make(fold.calibration));
    const outputs = await compared(folds.map((fold, i) => ({ file: of(parts[i]!), samples: fold.check })));
    return { ...(await told(file, outputs, check)), isHeldOut: true };
  };
  const corrected = await checked((made) => made.corrected);
  if (whole.uncorrected === undefined) return corrected;
  const uncorrected = await checked((made) => made.uncorrected ?? made.corrected);
  return leastDb(uncorrected.outputs) > leastDb(corrected.outputs) + CLEARLY_DB ? uncorrected : corrected;
}
