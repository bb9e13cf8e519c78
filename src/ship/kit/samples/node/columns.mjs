// == IMPORTS ==
import { numbersOfDate, timeOfDate } from './dates.js';
import { normalized } from './normalized.js';

// == PREPARE ==
const { columns } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));

// __ROWS__

// __NORMALIZE__

// == TAKE ==
const raw = sample.raw ?? encode(sample);
