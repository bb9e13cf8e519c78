import { UserError } from '../../base/errors.ts';
import { argMax } from '../../base/numbers.ts';
import type { Feeds, FileRunner } from './file-runner.ts';
import { LikenessTally } from '../../convert/likeness.ts';
import type { OutputLikeness, OutputValues } from '../../convert/likeness.ts';

/** Source of outputs: a file in a runtime, or outputs that are known already. */
export type Ask = Pick<FileRunner, 'outputs' | 'run'>;

export interface ClassOutput {
  readonly classes: number;
  /** Name of the output with the scores; default: every output of shape [samples, classes]. */
  readonly output?: string | undefined;
}

export interface Compared {
  readonly samples: number;
  readonly outputs: readonly OutputLikeness[];
  /** Classes by both for the first output of classes, sample by sample; empty where there is none. */
  readonly classes: { readonly expected: Int32Array; readonly actual: Int32Array };
}

/**
 * Comparison of all outputs of `reference` with those of `file`, on every batch. Classes are compared where the task has classes: the
 * caller knows their number from the data, and the output is [samples, classes].
 */
export async function compareOn(
  batches: readonly Feeds[],
  reference: Ask,
  file: Ask & { readonly file: string },
  classOutput?: ClassOutput,
): Promise<Compared> {
  const tallies = new Map<string, LikenessTally>();
  const given: { expected: number[]; actual: number[] } = { expected: [], actual: [] };
  let [samples, shown] = [0, undefined as string | undefined];
  for (const feeds of batches) {
    const [expected, actual] = [await reference.run(feeds), await file.run(feeds)];
    samples += Object.values(feeds)[0]!.shape[0] ?? 1;
    for (const [i, output] of reference.outputs.entries()) {
      const [a, b] = [expected[output]!, counterpart(file, output, i, actual)];
      const isScores = classOutput !== undefined && hasScores(output, a, classOutput);
      if (!tallies.has(output))
        tallies.set(output, new LikenessTally(output, isScores ? classOutput.classes : undefined));
      tallies.get(output)!.add(a, b);
      if (!isScores || (shown ??= output) !== output) continue;
      given.expected.push(...topOf(a, classOutput.classes));
      given.actual.push(...topOf(b, classOutput.classes));
    }
  }
  return {
    samples,
    outputs: [...tallies.values()].map((tally) => tally.result()),
    classes: { expected: Int32Array.from(given.expected), actual: Int32Array.from(given.actual) },
  };
}

/** The output of the same name; writers rename some, and keep their order. */
function counterpart(
  { file, outputs }: { readonly file: string; readonly outputs: readonly string[] },
  output: string,
  position: number,
  answers: Readonly<Record<string, OutputValues>>,
): OutputValues {
  const found = answers[output] ?? answers[outputs[position] ?? ''];
  if (found !== undefined) return found;
  throw new UserError(
    `${file}: expected an output ${output}, received ${outputs.join(', ')}`,
    'Please report this with the model: an export must not lose an output.',
  );
}

function hasScores(
  output: string,
  { shape, isInteger }: OutputValues,
  { classes, output: named }: ClassOutput,
): boolean {
  return !isInteger && (named ?? output) === output && shape.length === 2 && shape[1] === classes;
}

function topOf({ data }: OutputValues, classes: number): number[] {
  return Array.from({ length: data.length / classes }, (_, row) => argMax(data, row * classes, classes));
}
