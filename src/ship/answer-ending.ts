import type { OnnxContent } from '../formats/onnx/large.ts';
import { graphOf } from '../graph/builder.ts';
import type { Graph, Node, Shape } from '../graph/types.ts';
import { taskRow } from '../recipe/task.ts';
import type { Task } from '../tasks/task.ts';
import type { ModelFile } from './model-file.ts';
import type { OutputValues } from '../convert/likeness.ts';

export type Results = Readonly<Record<string, OutputValues>>;

/** The last step of a file with other answers than logits. */
export interface Ending {
  readonly graphOf: (graph: Graph, task: Task, format: ModelFile['format']) => Graph;
  /** Change of the bytes that were written of the graph. */
  readonly finished?: (bytes: OnnxContent, file: Pick<ModelFile, 'file' | 'format'>, task: Task) => OnnxContent;
  /** Number of samples that a file takes at once; default: any. */
  readonly atOnce?: (format: ModelFile['format']) => number;
  /** Compares the two files on `n` samples: `expected` follows from the logits, `actual` from the other file; `alike` says for each decision whether both agree. */
  readonly compared: (
    given: Results,
    other: Results,
    n: number,
    task: Task,
  ) => { readonly expected: OutputValues; readonly actual: OutputValues; readonly alike: readonly boolean[] };
}

/** Layer of the added nodes, and name of the answers in messages. */
export const ANSWERS_LAYER = 'answers';

/** The last step of such a file where logits are the only output, by the form of the answers. */
interface EndingOfLogits {
  /** Nodes behind the logits, whose last result is the answer. */
  readonly nodes: (logits: string, shape: Shape, task: Task) => readonly Node[];
  /** Answers of this file to `n` samples, from their logits. */
  readonly answers: (logits: Float32Array, n: number, task: Task) => Pick<OutputValues, 'data' | 'isInteger'>;
  /** Decisions that answers stand for: the index of the class of each sample or pixel, or 0 or 1 for each label. */
  readonly decisions: (answers: OutputValues['data'], task: Task) => ArrayLike<number>;
}

/** A node behind the logits. */
export const step = (op: string, input: string, attrs: Node['attrs'] = {}): Node => ({
  op,
  inputs: [input],
  attrs,
  layer: ANSWERS_LAYER,
  outputs: [`${ANSWERS_LAYER}/${op}`],
});

/** The last step of files whose answers follow from logits alone. */
export function ofLogits({ nodes, answers, decisions }: EndingOfLogits): Ending {
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
        expected: { ...expected, shape },
        actual: { ...actual!, shape },
        alike: Array.from(a, (value, i) => value === b[i]),
      };
    },
  };
}

/** Probabilities of rows of logits. */
export function softmaxRows(logits: Float32Array, width: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += width) {
    const row = logits.subarray(from, from + width);
    const largest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    out.set(
      powers.map((power) => power / sum),
      from,
    );
  }
  return out;
}
