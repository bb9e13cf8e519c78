// == IMPORTS ==
import { encoderFor } from '../tokenize/encode.js';

// == PREPARE ==
const { text } = await (await load('preprocessing.json')).json();
const encode = encoderFor(text, text.file && (await (await load(text.file)).json()));

// __IDS__

// == RAW ==
const { text: raw } = example;
if (differsIn(example)) throw new Error('not the token ids that example.json holds');

// == CHOOSE ==
const written = document.querySelector('textarea');
written.onchange = () => show(text.texts === 2 ? written.value.split('\n', 2) : written.value);
