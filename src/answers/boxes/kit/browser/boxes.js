// == MODULES ==
import { strokeBoxes } from './drawn.js';
import { inPicture, placeIn } from './letterbox.js';
import { suppressed } from './suppression.js';

// == SHARES ==
// __BOXES__

/** Reads the answers of a model to a picture of this size: the text of the boxes, and a function that draws them. */
function answered(answers, size) {
  const found = detected(answers, size);
  const said = found.map(({ label, score }) => label + ' ' + (100 * score).toFixed(1) + ' %').join(', ') || 'nothing';
  return { said, draw: (context) => strokeBoxes(context, found), found };
}
