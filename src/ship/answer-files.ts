import { monotonicMs } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { Slot } from '../base/registry.ts';
import { answerForms } from '../recipe/answer-forms.ts';
import { inputsByName } from '../data/inputs.ts';
import { taskRow } from '../recipe/task.ts';
import type { FileOutputs } from '../recipe/answer-forms.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { taskOf } from '../tasks/registry.ts';
import { idOf } from '../report/artifact.ts';
import type { ShipContext } from './context.ts';
import { ANSWERS_LAYER } from './answer-ending.ts';
import type { Ending } from './answer-ending.ts';
import type { ExportedModel } from './export.ts';
import type { ModelFile } from './model-file.ts';
import { beyondBudget } from '../convert/budgets.ts';
import { inParts } from './parity/check-file.ts';
import type { Reference } from './parity/check-file.ts';
import { LikenessTally } from '../convert/likeness.ts';
import { openFileRunner } from './parity/runners.ts';
import type { Write } from './write.ts';
import { sizedContent } from '../files/onnx-file.ts';

/** A file that answers with classes, probabilities or detections, beside the file with the logits that these are made of. */
export interface AnswerFile extends ModelFile {
  /** Name of the file in measurements. */
  readonly name: string;
  readonly outputs: FileOutputs;
  readonly samples: number;
  /** Share of the classes (of samples or pixels), labels or boxes that both files give alike: this file, and the file with logits. */
  readonly agreement: number;
}

const ENDING = new Slot<Ending>(answerForms, 'ending', 'other answers than logits');

/** Samples on which the two files are compared. */
const COMPARED = 64;

/**
 * Writes a file with the other answers that the recipe asks for beside each file with logits; by the id of that file. `UserError` where their answers
 * differ by more than the precision allows.
 */
export async function writeAnswerFiles(
  context: ShipContext,
  files: readonly ExportedModel[],
  write: Write,
): Promise<Map<string, AnswerFile>> {
  const task = taskOf(context.data.validation);
  const { form, outputs } = taskRow(task.name);
  const ending = await ENDING.load(form);
  const all = new Map<string, AnswerFile>();
  for (const logits of files) {
    const file = logits.file.replace(/(\.\w+)$/, `-${outputs}$1`);
    context.onEvent({ type: 'stage', stage: `export ${file}` });
    const start = monotonicMs();
    const { format, precision, reference } = logits;
    const made = logits.make(ending.graphOf(logits.graph, task, format), outputs).bytes;
    const bytes = sizedContent(file, ending.finished?.(made, { file, format }, task) ?? made);
    const compared = await compare(context, reference, logits, { file, bytes, format, precision }, ending);
    await write(file, bytes);
    await context.done(`export ${file}`, (monotonicMs() - start) / 1000, { file, sizeBytes: bytes.length });
    const name = `${idOf(logits)}-${outputs}`;
    all.set(idOf(logits), { file, bytes, format, precision, name, outputs: outputs!, ...compared });
  }
  return all;
}

/** Comparison of what the logits of a file come to with the answers of the other. */
async function compare(
  { recipe, data }: Pick<ShipContext, 'recipe' | 'data'>,
  reference: Reference,
  logits: ModelFile,
  file: ModelFile,
  ending: Ending,
): Promise<Pick<AnswerFile, 'samples' | 'agreement'>> {
  const task = taskOf(data.validation);
  const session = sessionOptionsOf(recipe);
  const [first, second] = [await openFileRunner(logits, session), await openFileRunner(file, session)];
  const tally = new LikenessTally(ANSWERS_LAYER);
  let [samples, same, all] = [0, 0, 0];
  try {
    for (const { x, shape, inputs } of inParts(reference)) {
      const size = x.length / shape[0]!;
      let n = 0;
      for (let from = 0; from < shape[0]! && samples < COMPARED; from += n) {
        n = Math.min(shape[0]! - from, COMPARED - samples, ending.atOnce?.(file.format) ?? Infinity);
        const some = x.subarray(from * size, (from + n) * size);
        const feeds = inputsByName(some, n, { sampleShape: shape.slice(1), inputs });
        const { expected, actual, alike } = ending.compared(await first.run(feeds), await second.run(feeds), n, task);
        tally.add(expected, actual);
        same += alike.filter(Boolean).length;
        all += alike.length;
        samples += n;
      }
    }
  } finally {
    first.dispose();
    second.dispose();
  }
  const beyond = beyondBudget(tally.result(), file.precision);
  if (beyond === undefined) return { samples, agreement: all === 0 ? 1 : same / all };
  throw new UserError(
    `${file.file}: its answers differ from what the logits of ${logits.file} come to on ${samples} samples: ${beyond}`,
    'The file was not written. Leave out `outputs`, or report this with the recipe.',
  );
}
