// == MODULES ==
import { fittedPixels } from './fitted.js';
import { inPicture, placeIn } from './letterbox.js';
import { suppressed } from './suppression.js';

// == DOC ==
/** Sides of the boxes [points, 4] as shares of the input's width and height, then logits [points, classes], of values of the size of the input. */

// == HELPER ==
// __BOXES__

/** Pixels of a picture as the model takes them: scaled, with grey beside them if it keeps proportions. */
function fitted(raw, { height, width }) {
  const [, down, across, channels] = input.shape;
  if (height === down && width === across) return raw;
  if (raw.length !== height * width * channels || raw.some((value) => !(value >= 0 && value <= 255)))
    throw new Error(
      'expected ' +
        [height, width, channels].join(' * ') +
        ' pixels from 0 to 255, received ' +
        raw.length +
        ' numbers',
    );
  return Array.from(
    fittedPixels({ data: Uint8Array.from(raw), height, width, channels }, [down, across, channels], input.fit),
  );
}

// == FILE_PIXELS ==
// They are scaled where they are placed in the input.
const { data, info } = await pixelsOf(image);
const sides = { height: info.height, width: info.width };

// == EACH ==
const expected = sample[output.answers];
// __TAKE__
const size = { height: sample.height ?? input.shape[1], width: sample.width ?? input.shape[2] };
const answers = await answersOf(fitted(raw, size));
const said = detected(answers, size).map(
  ({ label, score, box }) => label + ' ' + (100 * score).toFixed(1) + ' % at ' + box.map(Math.round).join(', '),
);
console.log(said.join('; ') || 'nothing');
if (expected?.some((value, i) => Math.abs(value - answers[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
  console.error('not what example.json holds');
  process.exitCode = 1;
}
