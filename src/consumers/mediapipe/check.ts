import { UserError } from '../../base/errors.ts';
import type { AnswerEnd } from '../../formats/tflite/rewrite/editor.ts';
import type { TensorData } from '../../graph/types.ts';
import type { ModelRow } from '../../report/types.ts';
import { openTflite } from '../../runtime/litert.ts';
import { softmaxRows } from '../../ship/answer-ending.ts';
import type { ComparedSample, FedByName } from './ends.ts';

/** Largest difference of an answer, as a share of the largest answer of the sample, of 1 at least; integer files may round a prepared pixel to another step. */
const limitOf = (precision: ModelRow['precision']): number => (precision === 'int8' ? 0.05 : 1e-4);

/** Last functions of a file, as they are computed here. */
const ACTIVATIONS = {
  SOFTMAX: (logits: Float32Array) => softmaxRows(logits, logits.length),
  LOGISTIC: (logits: Float32Array) => logits.map((value) => 1 / (1 + Math.exp(-value))),
} as const;

type Opened = Awaited<ReturnType<typeof openTflite>>;

interface ComparedFile extends Pick<AnswerEnd, 'activation' | 'boxes'> {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly precision: ModelRow['precision'];
}

/** `UserError` where a file for MediaPipe answers otherwise than the file that it was made of. */
export async function checkChangedFile(
  { file, bytes, precision, activation, boxes = '' }: ComparedFile,
  source: Uint8Array,
  samples: Iterable<ComparedSample>,
): Promise<void> {
  const [given, changed] = [await openTflite(source), await openTflite(bytes, { name: file })];
  try {
    for (const sample of samples) {
      const { [boxes]: corners, ...rest } = await answersOf(given, sample.given);
      const [logits] = Object.values(rest) as [Float32Array];
      const expected = [
        ...(corners === undefined ? [] : [centresOf(corners)]),
        activation === undefined ? logits : ACTIVATIONS[activation](logits),
      ];
      const answers = await answersOf(changed, sample.changed);
      for (const [i, { name }] of changed.outputs.entries())
        refuseOther(answers[name]!, expected[i]!, { file, precision });
    }
  } finally {
    given.dispose();
    changed.dispose();
  }
}

function refuseOther(
  answers: Float32Array,
  expected: Float32Array,
  { file, precision }: Pick<ComparedFile, 'file' | 'precision'>,
): void {
  const difference = answers.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  if (difference <= limitOf(precision) * largest && answers.length === expected.length) return;
  throw new UserError(
    `${file}: an answer differs by ${difference} from that of the file that it was made of`,
    'The folder was not written. Report this with the recipe.',
  );
}

/** Boxes with xmin, ymin, xmax, ymax as centre y, centre x, height, width. */
function centresOf(corners: Float32Array): Float32Array {
  return corners.map((_, i) => {
    const [xmin, ymin, xmax, ymax] = corners.subarray(i - (i % 4), i - (i % 4) + 4) as unknown as Quad;
    return [(ymin + ymax) / 2, (xmin + xmax) / 2, ymax - ymin, xmax - xmin][i % 4]!;
  });
}

type Quad = readonly [number, number, number, number];

/** Answers of a file to one sample, by the names of its outputs. */
async function answersOf(file: Opened, feeds: FedByName): Promise<Readonly<Record<string, Float32Array>>> {
  const fed = file.inputs.map(({ name, dtype }): [string, TensorData] => {
    const values = feeds(name, file.inputs.length);
    return [name, dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)];
  });
  return (await file.run(Object.fromEntries(fed))) as Record<string, Float32Array>;
}
