import { UserError } from '../../../base/errors.ts';
import type { TextForm } from '../../../data/text/tokenizer/encode.ts';
import { statedText } from '../../../files/stated.ts';

/** `UserError` for a file made for other tokens: it would read other texts. */
export function refuseOtherText(file: string, metadata: ReadonlyMap<string, string>, text: TextForm): void {
  const statedByFile = statedText(metadata);
  if (statedByFile === undefined) return;
  const keys = ['tokenizer', 'sha256', 'buckets', 'ngrams', 'texts', 'length', 'truncate'] as const;
  const other = keys.find((key) => statedByFile[key] !== text[key]);
  if (other === undefined) return;
  const what = other === 'sha256' ? 'the tokenizer.json of hash' : `text.${other}`;
  throw new UserError(
    `${file}: was made for ${what} ${String(statedByFile[other])}, received texts of ${String(text[other])}`,
    'Give it the tokenizer and the length that its metadata name under `text`: in `dataset.text`, or of a teacher in `teacher.text`.',
  );
}
