import { monotonicMs } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { argMax } from '../base/numbers.ts';
import { inputsByName } from '../data/inputs.ts';
import { graphOf } from '../graph/builder.ts';
import type { Graph, Node, Shape } from '../graph/types.ts';
import { taskRow } from '../recipe/task.ts';
import type { AnswerFormKind, FileOutputs } from '../recipe/task.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { taskOf } from '../tasks/registry.ts';
import type { Task } from '../tasks/task.ts';
import { idOf } from '../report/artifact.ts';
import type { ShipContext } from './context.ts';
import type { ExportedModel } from './export.ts';
import type { ModelFile } from './model-file.ts';
import { beyondBudget } from './parity/budgets.ts';
import { inParts } from './parity/check-file.ts';
import type { Reference } from './parity/check-file.ts';
import { LikenessTally } from './parity/likeness.ts';
import type { OutputValues } from './parity/likeness.ts';
import { openFileRunner } from './parity/runners.ts';
import type { Write } from './write.ts';

/** A file that answers with classes or probabilities, beside the file with the logits that these are made of. */
export interface AnswerFile extends ModelFile {
  /** Name of the file in measurements. */
  readonly name: string;
  readonly outputs: FileOutputs;
  readonly samples: number;
  /** Share of the classes (of samples or pixels) or labels that both files give alike: this file, and the file with logits. */
  readonly agreement: number;
}

/** The last step of such a file, by the form of the answers. */
interface Ending {
  /** Nodes behind the logits, whose last result is the answer. */
  readonly nodes: (logits: string, shape: Shape, task: Task) => readonly Node[];
  /** Answers of this file to `n` samples, from their logits. */
  readonly answers: (logits: Float32Array, n: number, task: Task) => Pick<OutputValues, 'data' | 'isInteger'>;
  /** Decisions that answers stand for: the index of the class of each sample or pixel, or 0 or 1 for each label. */
  readonly decisions: (answers: OutputValues['data'], task: Task) => ArrayLike<number>;
}

const LAYER = 'answers';

const step = (op: string, input: string, attrs: Node['attrs'] = {}): Node => ({
  ...{ op, inputs: [input], attrs, layer: LAYER },
  outputs: [`${LAYER}/${op}`],
});

const ENDINGS: Partial<Readonly<Record<AnswerFormKind, Ending>>> = {
  classes: {
    nodes: (logits) => [step('Softmax', logits, { axis: 1 })],
    answers: (logits, n) => ({ data: softmaxRows(logits, logits.length / n), isInteger: false }),
    decisions: (answers, { width }) =>
      Array.from({ length: answers.length / width }, (_, row) => argMax(answers, row * width, width)),
  },
  labels: {
    nodes: (logits) => [step('Sigmoid', logits)],
    answers: (logits) => ({ data: logits.map((value) => 1 / (1 + Math.exp(-value))), isInteger: false }),
    decisions: (answers) => Array.from(answers, (value) => Number(value >= 0.5)),
  },
  mask: {
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
  },
};

/** Samples on which the two files are compared. */
const COMPARED = 64;

/**
 * Writes a file that answers with classes or probabilities, as the recipe asks, beside each file with logits; by the id of that file. `UserError` where
 * their answers differ by more than the precision allows.
 */
export async function writeAnswerFiles(
  context: ShipContext,
  files: readonly ExportedModel[],
  write: Write,
): Promise<Map<string, AnswerFile>> {
  const task = taskOf(context.data.validation);
  const { form, outputs } = taskRow(task.name);
  const ending = ENDINGS[form]!;
  const made = new Map<string, AnswerFile>();
  for (const logits of files) {
    const file = logits.file.replace(/(\.\w+)$/, `-${outputs}$1`);
    context.onEvent({ type: 'stage', stage: `export ${file}` });
    const start = monotonicMs();
    const { bytes } = logits.make(withEnding(logits.graph, outputs!, ending, task), outputs);
    const { format, precision, reference } = logits;
    const compared = await compare(context, reference, logits, { file, bytes, format, precision }, ending);
    await write(file, bytes);
    await context.done(`export ${file}`, (monotonicMs() - start) / 1000, { file, sizeBytes: bytes.length });
    const name = `${idOf(logits)}-${outputs}`;
    made.set(idOf(logits), { ...{ file, bytes, format, precision, name, outputs: outputs! }, ...compared });
  }
  return made;
}

/** The graph with another answer, under this name, in place of its logits. */
function withEnding(graph: Graph, outputs: FileOutputs, ending: Ending, task: Task): Graph {
  const [logits] = graph.outputs.values();
  const added = ending.nodes(logits!, graph.types.get(logits!)!.shape, task);
  const answer = added.at(-1)!.outputs[0]!;
  return graphOf({ ...graph, nodes: [...graph.nodes, ...added], outputs: new Map([[outputs, answer]]) });
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
  const tally = new LikenessTally(LAYER);
  let [samples, same, all] = [0, 0, 0];
  try {
    for (const { x, shape, inputs } of inParts(reference)) {
      const n = Math.min(shape[0]!, COMPARED - samples);
      if (n <= 0) break;
      const some = x.subarray(0, (x.length / shape[0]!) * n);
      const feeds = inputsByName(some, n, { sampleShape: shape.slice(1), inputs });
      const [[cells], [actual]] = [Object.values(await first.run(feeds)), Object.values(await second.run(feeds))];
      const expected = ending.answers(cells!.data as Float32Array, n, task);
      const of = [n, expected.data.length / n];
      tally.add({ ...expected, shape: of }, { ...actual!, shape: of });
      const [a, b] = [ending.decisions(expected.data, task), ending.decisions(actual!.data, task)];
      for (let i = 0; i < a.length; i++) if (a[i] === b[i]) same++;
      all += a.length;
      samples += n;
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

function softmaxRows(logits: Float32Array, width: number): Float32Array {
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
