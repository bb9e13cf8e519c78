// == IMPORTS ==
import { wordEncoderFor, wordsIn } from '../tokenize/words.js';

// == PREPARE ==
const { text } = await (await load('preprocessing.json')).json();
const encode = wordEncoderFor(text, text.file && (await (await load(text.file)).json()));

// __WORDS__

// == SHOW ==
const show = async (words) => {
  const logits = await classify(words);
  const tags = tagsOf(words, logits);
  const item = document.createElement('li');
  item.textContent = words.map((word, i) => (tags[i] === null ? word : word + '/' + tags[i])).join(' ');
  list.append(item);
  return { tags, logits: Array.from(logits) };
};

// == RAW ==
const { words: raw, ids } = example;
if (ids.some((id, i) => id !== prepare(raw)[i])) throw new Error('not the token ids that example.json holds');

// == CHOOSE ==
const written = document.querySelector('textarea');
written.onchange = () => show(wordsIn(written.value));
