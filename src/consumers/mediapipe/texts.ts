import { percent } from '../../base/numbers.ts';
import { sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { storedEncoder, storedTokenizer } from '../../data/text/open.ts';
import { PARTS } from '../../data/text/sink.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import { VOCABULARY_FILE } from '../../formats/tflite/metadata/text.ts';
import { withTextEnds } from '../../formats/tflite/rewrite/text-ends.ts';
import type { TaskEnds } from './ends.ts';
import { mediaPipeTokenizer } from './tokenizer.ts';

/** Held-out texts on which the two tokenizers are compared, at most. */
const COMPARED = 1000;

/** Texts for MediaPipe. `texts`: those of the data set, by the ids of their samples. `UserError` for tokenizers that MediaPipe has not. */
export async function textEnds(
  run: string,
  {
    text,
    validation,
    texts,
  }: { readonly text: TextForm; readonly validation: Dataset; readonly texts: ReadonlyMap<string, readonly string[]> },
): Promise<TaskEnds> {
  const { tokenizer, vocabulary, encode } = mediaPipeTokenizer(text, await storedTokenizer(text, run));
  const { length, padding } = text;
  const compared = Math.min(COMPARED, validation.count);
  const held = Array.from({ length: compared }, (_, row) => texts.get(sampleId(validation, row))!);
  const own = await storedEncoder(text, run);
  const alike = held.filter((sample) => encode(sample).ids.every((id, i) => id === own(sample).ids[i])).length;
  const share = `MediaPipe's tokenizer makes the tokens that the model was trained with of ${alike} of ${held.length} held-out texts (${percent(alike / held.length)}).`;
  return {
    changed: (bytes, end, { files, ...description }) =>
      withTextEnds(
        bytes,
        { length, padding, ...end },
        { ...description, tokenizer, files: { ...files, [VOCABULARY_FILE]: vocabulary } },
      ),
    *samples(most) {
      for (const sample of held.slice(0, most)) {
        const { ids, mask, types } = own(sample);
        // MediaPipe pads with 0, but for whole words with the id that the vocabulary names.
        const fed = { ids: ids.map((id, i) => id * mask[i]!), mask, segment_ids: types };
        yield {
          given: (name) => ({ ids, mask, types })[PARTS[name as keyof typeof PARTS] ?? 'ids'],
          changed: (name, inputs) => (inputs === 1 ? ids : fed[name as keyof typeof fed]),
        };
      }
    },
    packed: 'the tokenizer and its vocabulary',
    notes: [
      tokenizer.kind === 'bert'
        ? `${share} It keeps accents, makes the capitals of ASCII alone small, and cuts texts after ${length} tokens.`
        : share,
    ],
  };
}
