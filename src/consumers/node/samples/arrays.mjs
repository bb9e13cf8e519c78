// == IMPORTS ==
import { normalized } from './normalized.js';

// == PREPARE ==
// __JOINED__

// __NORMALIZE__

// == TAKE ==
const raw = joined(model, sample.inputs);
