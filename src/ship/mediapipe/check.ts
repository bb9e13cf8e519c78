import { UserError } from '../../base/errors.ts';
import { argMax } from '../../base/numbers.ts';
import type { Encoded } from '../../data/text/tokenizer/encode.ts';
import { PARTS } from '../../data/text/sink.ts';
import type { TensorData } from '../../graph/types.ts';
import { openTflite } from '../../runtime/litert.ts';
import type { TextEnds } from '../../formats/tflite/rewrite/text-ends.ts';
import { softmaxRows } from '../answer-files.ts';

/** Texts that are compared, and the largest difference of an answer. */
const [MOST, LARGEST] = [64, 1e-4];

/** Last functions of a file, as they are computed here. */
const ACTIVATIONS = {
  SOFTMAX: (logits: Float32Array) => softmaxRows(logits, logits.length),
  LOGISTIC: (logits: Float32Array) => logits.map((value) => 1 / (1 + Math.exp(-value))),
} as const;

type Opened = Awaited<ReturnType<typeof openTflite>>;

/** `UserError` where a file for MediaPipe answers otherwise than the file that it was made of. */
export async function checkTextFile(
  { file, bytes }: { readonly file: string; readonly bytes: Uint8Array },
  source: Uint8Array,
  { activation, encoded }: Pick<TextEnds, 'activation'> & { readonly encoded: readonly Encoded[] },
): Promise<void> {
  const [given, changed] = [await openTflite(source), await openTflite(bytes, { name: file })];
  try {
    for (const sample of encoded.slice(0, MOST)) {
      const logits = await answerOf(given, (name) => sample[PARTS[name as keyof typeof PARTS] ?? 'ids']);
      // MediaPipe pads with 0, but for whole words with the id that the vocabulary names.
      const padded = changed.inputs.length === 1 ? sample.ids : sample.ids.map((id, i) => id * sample.mask[i]!);
      const fed = { ids: padded, mask: sample.mask, segment_ids: sample.types };
      const answers = await answerOf(changed, (name) => fed[name as keyof typeof fed]);
      const expected = activation === undefined ? logits : ACTIVATIONS[activation](logits);
      const difference = answers.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
      const isAlike = argMax(answers, 0, answers.length) === argMax(expected, 0, expected.length);
      if (!(difference <= LARGEST) || !(isAlike || difference === 0))
        throw new UserError(
          `${file}: an answer differs by ${difference} from that of the file that it was made of`,
          'The folder was not written. Report this with the recipe.',
        );
    }
  } finally {
    given.dispose();
    changed.dispose();
  }
}

/** Answers of a file to the ids, mask or types of a text, by the name of the input. */
async function answerOf(file: Opened, part: (name: string) => Int32Array): Promise<Float32Array> {
  const feeds = file.inputs.map(({ name, dtype }): [string, TensorData] => {
    const values = part(name);
    return [name, dtype === 'int32' ? values : Float32Array.from(values)];
  });
  return (await file.run(Object.fromEntries(feeds)))[file.outputs[0]!.name] as Float32Array;
}
