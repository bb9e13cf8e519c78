// == IMPORTS ==
import { encoderFor } from '../tokenize/encode.js';

// == PREPARE ==
const text = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8')).text;
const tokenizer = text.file && JSON.parse(readFileSync(new URL(text.file, kit), 'utf8'));
const encode = encoderFor(text, tokenizer);

// __IDS__

// == TAKE ==
const { text: raw } = sample;
if (differsIn(sample)) {
  console.error('not the token ids that example.json holds');
  process.exitCode = 1;
}
