// == MODULES ==
import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { opaque } from './fitted.js';
import { colouredMask } from './mask-colours.js';
import { masksOf } from './masks.js';

// == DOC ==
/** Logits [rows, columns, classes] of a picture, of which a cell stands for some pixels. */

// == HELPER ==
const [, height, width, channels] = input.shape;
const [, rows, columns] = output.shape;
const grid = { rows, columns, classes: names.length, stride: height / rows };

// __PNG__

/** The picture of values, from 0 to 255 or from 0 to 1, under the half transparent colours of its mask. */
function masked(raw, mask) {
  const times = raw.some((value) => value > 1) ? 1 : 255;
  const pixels = opaque(
    raw.map((value) => value * times),
    channels,
  );
  return colouredMask(mask, names.length).map((colour, i) => (pixels[4 * Math.floor(i / 3) + (i % 3)] + colour) / 2);
}

/** Names of the files that were written. */
const written = [];

// == EACH ==
const expected = sample.logits;
// __TAKE__
const logits = await logitsOf(raw);
const mask = masksOf(Float32Array.from(logits), grid);
const file = 'mask-' + (written.length + 1) + '.png';
written.push(file);
writeFileSync(file, png(masked(raw, mask), { height, width }));
const shares = names.map((name, c) => [name, mask.filter((index) => index === c).length / mask.length]);
const found = shares.filter(([, share]) => share > 0).sort(([, a], [, b]) => b - a);
console.log(file + '\t' + found.map(([name, share]) => name + ' ' + (100 * share).toFixed(1) + ' %').join(', '));
if (expected?.some((value, i) => Math.abs(value - logits[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
  console.error('not the logits that example.json holds');
  process.exitCode = 1;
}
