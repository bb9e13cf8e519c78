import { monotonicMs } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { argMax } from '../base/numbers.ts';
import { inputsByName } from '../data/inputs.ts';
import { graphOf } from '../graph/builder.ts';
import type { Node, Shape } from '../graph/types.ts';
import { taskRow } from '../recipe/task.ts';
import type { FileOutputs } from '../recipe/answer-forms.ts';
import type { AnswerFormKind } from '../recipe/task.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { taskOf } from '../tasks/registry.ts';
import type { Task } from '../tasks/task.ts';
import { idOf } from '../report/artifact.ts';
import type { ShipContext } from './context.ts';
import { ANSWERS_LAYER, DETECTIONS } from './detection-files.ts';
import type { Ending } from './detection-files.ts';
import type { ExportedModel } from './export.ts';
import type { ModelFile } from './model-file.ts';
import { beyondBudget } from './parity/budgets.ts';
import { inParts } from './parity/check-file.ts';
import type { Reference } from './parity/check-file.ts';
import { LikenessTally } from './parity/likeness.ts';
import type { OutputValues } from './parity/likeness.ts';
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

/** The last step of such a file where logits are the only output, by the form of the answers. */
interface EndingOfLogits {
  /** Nodes behind the logits, whose last result is the answer. */
  readonly nodes: (logits: string, shape: Shape, task: Task) => readonly Node[];
  /** Answers of this file to `n` samples, from their logits. */
  readonly answers: (logits: Float32Array, n: number, task: Task) => Pick<OutputValues, 'data' | 'isInteger'>;
  /** Decisions that answers stand for: the index of the class of each sample or pixel, or 0 or 1 for each label. */
  readonly decisions: (answers: OutputValues['data'], task: Task) => ArrayLike<number>;
}

const step = (op: string, input: string, attrs: Node['attrs'] = {}): Node => ({
  ...{ op, inputs: [input], attrs, layer: ANSWERS_LAYER },
  outputs: [`${ANSWERS_LAYER}/${op}`],
});

const ENDINGS: Partial<Readonly<Record<AnswerFormKind, Ending>>> = {
  boxes: DETECTIONS,
  classes: ofLogits({
    nodes: (logits) => [step('Softmax', logits, { axis: 1 })],
    answers: (logits, n) => ({ data: softmaxRows(logits, logits.length / n), isInteger: false }),
    decisions: (answers, { width }) =>
      Array.from({ length: answers.length / width }, (_, row) => argMax(answers, row * width, width)),
  }),
  labels: ofLogits({
    nodes: (logits) => [step('Sigmoid', logits)],
    answers: (logits) => ({ data: logits.map((value) => 1 / (1 + Math.exp(-value))), isInteger: false }),
    decisions: (answers) => Array.from(answers, (value) => Number(value >= 0.5)),
  }),
  mask: ofLogits({
    // The logits [batch, rows, columns, classes] are resized bilinearly between the centres of cells, and the first of the largest is taken.
    nodes: (logits, [, rows, columns], { masks }) => {
      const { size } = masks!;
      const resize = step('ResizeBilinear', logits, { size, alignCorners: false, halfPixelCenters: true });
      const resized = rows === size[0] && columns === size[1] ? [] : [resize];
      const indexes = step('ArgMax', resized[0]?.outputs[0] ?? logits, { axis: 3 });
      return [...resized, indexes, step('Cast', indexes.outputs[0]!, { dtype: 'uint8' })];
    },
    answers: (logits, n, { masks }) => {
      const rows = Array.from({ length: n }, (_, row) => Float64Array.from(masks!.given(logits, row)));
      const data = new Float64Array(rows.reduce((sum, { length }) => sum + length, 0));
      rows.forEach((mask, row) => data.set(mask, row * mask.length));
      return { data, isInteger: true };
    },
    decisions: (answers) => answers,
  }),
};

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
  const ending = ENDINGS[form]!;
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
    all.set(idOf(logits), { ...{ file, bytes, format, precision, name, outputs: outputs! }, ...compared });
  }
  return all;
}

function ofLogits({ nodes, answers, decisions }: EndingOfLogits): Ending {
  return {
    graphOf: (graph, task) => {
      const [logits] = graph.outputs.values();
      const added = nodes(logits!, graph.types.get(logits!)!.shape, task);
      const outputs = new Map([[taskRow(task.name).outputs!, added.at(-1)!.outputs[0]!]]);
      return graphOf({ ...graph, nodes: [...graph.nodes, ...added], outputs });
    },
    compared: (given, other, n, task) => {
      const [[logits], [actual]] = [Object.values(given), Object.values(other)];
      const expected = answers(logits!.data as Float32Array, n, task);
      const shape = [n, expected.data.length / n];
      const [a, b] = [decisions(expected.data, task), decisions(actual!.data, task)];
      return {
        ...{ expected: { ...expected, shape }, actual: { ...actual!, shape } },
        alike: Array.from(a, (value, i) => value === b[i]),
      };
    },
  };
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

/** Probabilities of rows of logits. */
export function softmaxRows(logits: Float32Array, width: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += width) {
    const row = logits.subarray(from, from + width);
    const largest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    out.set(powers.map((power) => power / sum), from); // prettier-ignore
  }
  return out;
}
