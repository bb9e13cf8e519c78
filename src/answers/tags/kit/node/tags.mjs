// == IMPORTS ==
import { wordEncoderFor, wordsIn } from '../tokenize/words.js';

// == PREPARE ==
const text = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8')).text;
const encode = wordEncoderFor(text, text.file && JSON.parse(readFileSync(new URL(text.file, kit), 'utf8')));

// __WORDS__

// == EACH ==
const expected = sample.logits;
const words = sample.words ?? wordsIn(sample.text);
if (sample.ids?.some((id, i) => id !== prepare(words)[i])) {
  console.error('not the token ids that example.json holds');
  process.exitCode = 1;
}
const logits = await logitsOf(words);
const tags = tagsOf(words, logits);
console.log(words.map((word, i) => (tags[i] === null ? word : word + '\t' + tags[i]) + '\n').join(''));
const differs = expected?.some((value, i) => Math.abs(value - logits[i]) > 1e-3 * Math.max(1, Math.abs(value)));
if (differs || sample.tags?.some((tag, i) => tag !== tags[i])) {
  console.error('not the logits and tags that example.json holds');
  process.exitCode = 1;
}
