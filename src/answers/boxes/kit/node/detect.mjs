// == MODULES ==
import { letterboxed, withPadding } from './letterbox.js';
import { LANCZOS, resized } from './resize.js';
import { suppressed } from './suppression.js';

// == DOC ==
/** Sides of the boxes [points, 4] as shares of the input's width and height, then logits [points, classes], of values of the size of the input. */

// == HELPER ==
// __BOXES__

/** Pixels of a picture as the model takes them: scaled, with grey beside them if it keeps proportions. */
function fitted(raw, size, place) {
  const [, height, width, channels] = input.shape;
  if (size.height === height && size.width === width) return raw;
  if (raw.length !== size.height * size.width * channels || raw.some((value) => !(value >= 0 && value <= 255)))
    throw new Error(
      'expected ' +
        size.height +
        ' * ' +
        size.width +
        ' * ' +
        channels +
        ' pixels from 0 to 255, received ' +
        raw.length +
        ' numbers',
    );
  const data = resized(Uint8Array.from(raw), [size.height, size.width, channels], [place.height, place.width], LANCZOS);
  return Array.from(withPadding({ ...place, data, channels }, [height, width]).data);
}

// == FILE_PIXELS ==
// They are scaled where they are placed in the input.
const { data, info } = await pixelsOf(image);
const sides = { height: info.height, width: info.width };

// == EACH ==
const expected = sample[output.answers];
// __TAKE__
const size = { height: sample.height ?? input.shape[1], width: sample.width ?? input.shape[2] };
const place = placeOf(size);
const answers = await answersOf(fitted(raw, size, place));
const said = detected(answers, place, size).map(
  ({ label, score, box }) => label + ' ' + (100 * score).toFixed(1) + ' % at ' + box.map(Math.round).join(', '),
);
console.log(said.join('; ') || 'nothing');
if (expected?.some((value, i) => Math.abs(value - answers[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
  console.error('not what example.json holds');
  process.exitCode = 1;
}
