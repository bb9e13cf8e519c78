// == MODULES ==
import { strokeBoxes } from './drawn.js';
import { inPicture, placeIn } from './letterbox.js';
import { suppressed } from './suppression.js';

// == SHARES ==
// __BOXES__

/** What answers say of a picture of this size, and what draws it. */
function answered(answers, size) {
  const found = detected(answers, size);
  const said = found.map(({ label, score }) => label + ' ' + (100 * score).toFixed(1) + ' %').join(', ') || 'nothing';
  return { said, draw: (context) => strokeBoxes(context, found), found };
}
