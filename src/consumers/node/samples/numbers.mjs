// == IMPORTS ==
import { normalized } from './normalized.js';

// == PREPARE ==
// __NORMALIZE__

// == TAKE ==
const { raw } = sample;
