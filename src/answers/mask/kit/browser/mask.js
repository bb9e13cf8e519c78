// == MODULES ==
import { layMask } from './drawn.js';
import { masksOf } from './masks.js';

// == SHARES ==
/** Reads the answers of a model to a picture: the text of the mask, and a function that draws it. */
function answered(logits) {
  const [, height, width] = input.shape;
  const [, rows, columns, classes] = output.shape;
  const mask = masksOf(Float32Array.from(logits), { rows, columns, classes, stride: height / rows });
  const shares = labels.map((label, c) => ({ label, area: mask.filter((index) => index === c).length / mask.length }));
  const segments = shares.filter(({ area }) => area > 0).sort((a, b) => b.area - a.area);
  const said = segments.map(({ label, area }) => label + ' ' + (100 * area).toFixed(1) + ' %').join(', ');
  const layer = new OffscreenCanvas(width, height).getContext('2d');
  return { said, draw: (context) => layMask(context, layer, { mask, classes, share: 0.5 }), segments };
}
