// == MODULES ==
import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { paintPoints } from './drawn.js';
import { fittedPixels, opaque } from './fitted.js';
import { foundPoints } from './found.js';
import { placeIn } from './letterbox.js';

// == DOC ==
/** Logits [points, 2, places] over columns and rows of the input, of values of its size; of a file that decodes them points [points, 3]. */

// == HELPER ==
// __FITTED__

// __PNG__

/** Names of the files that were written. */
const written = [];

// == EACH ==
// __ASK__
const points = foundPoints(answers, labels, size, placeIn(size, input.shape.slice(1, 3), input.fit));
const pixels = colours(raw, input.shape[3]);
paintPoints(pixels, size, points, output.skeleton);
const file = 'points-' + (written.length + 1) + '.png';
written.push(file);
writeFileSync(file, png(pixels, size));
console.log(file + '\t' + points.map(({ name, x, y }) => name + ' ' + Math.round(x) + ', ' + Math.round(y)).join('; '));
// __COMPARE__
