// == MODULES ==
import { fittedPixels } from './fitted.js';
import { inPicture, placeIn } from './letterbox.js';
import { suppressed } from './suppression.js';

// == DOC ==
/** Sides of the boxes [points, 4] as shares of the input's width and height, then logits [points, classes], of values of the size of the input. */

// == HELPER ==
// __BOXES__

// __FITTED__

// == EACH ==
// __ASK__
const said = detected(answers, size).map(
  ({ label, score, box }) => label + ' ' + (100 * score).toFixed(1) + ' % at ' + box.map(Math.round).join(', '),
);
console.log(said.join('; ') || 'nothing');
// __COMPARE__
