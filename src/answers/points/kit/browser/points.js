// == MODULES ==
import { strokePoints } from './drawn.js';
import { foundPoints } from './found.js';
import { placeIn } from './letterbox.js';

// == SHARES ==
/** Reads the answers of a model to a picture of this size: the text of the points, and a function that draws them. */
function answered(answers, size) {
  const points = foundPoints(answers, labels, size, placeIn(size, input.shape.slice(1, 3), input.fit));
  const said = points.map(({ name, x, y }) => name + ' ' + Math.round(x) + ', ' + Math.round(y)).join('; ');
  return { said, draw: (context) => strokePoints(context, points, output.skeleton), points };
}
