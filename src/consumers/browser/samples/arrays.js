// == IMPORTS ==
import { normalized } from './normalized.js';

// == PREPARE ==
// __NORMALIZE__

// == REST ==
// __JOINED__

// == RAW ==
const raw = joined(models[0], example.inputs);

// == CHOOSE ==
const written = document.querySelector('textarea');
written.onchange = () => show(joined(models[0], JSON.parse(written.value)));
