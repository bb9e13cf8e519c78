// == IMPORTS ==
import { numbersOfDate, timeOfDate } from './dates.js';
import { normalized } from './normalized.js';

// == PREPARE ==
const { columns } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));

// __ROWS__

/** Names of the columns of a row with a word that the model does not know. */
function unknownIn(row) {
  return columns.flatMap(({ name, words }) =>
    words === undefined || row[name] === null || words.includes(wordOf(row[name], words)) ? [] : [name],
  );
}

// __NORMALIZE__

// == TAKE ==
const raw = sample.raw ?? encode(sample);
const unknown = sample.raw === undefined ? unknownIn(sample) : [];
if (unknown.length > 0) console.error('words that the model does not know, and reads as missing: ' + unknown.join(', '));
