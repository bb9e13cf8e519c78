// == IMPORTS ==
import { letterboxed, withPadding } from './letterbox.js';
import { boxColour } from './mask-colours.js';
import { normalized } from './normalized.js';
import { LANCZOS, resized } from './resize.js';
import { suppressed } from './suppression.js';

// == SHARES ==
// __BOXES__

/** Draws values of the model's input, from 0 to 255 or to 1. */
function drawValues(context, raw) {
  const [, height, width, channels] = input.shape;
  const white = raw.some((value) => value > 1) ? 255 : 1;
  const pixels = context.createImageData(width, height);
  for (let at = 0; at < height * width; at++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * at + c] = (255 * raw[at * channels + (channels < 3 ? 0 : c)]) / white;
    pixels.data[4 * at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

/** Draws boxes in the colours of their classes. */
function drawBoxes(context, found) {
  context.lineWidth = Math.max(2, Math.min(context.canvas.width, context.canvas.height) / 120);
  for (const {
    index,
    box: [left, top, right, bottom],
  } of found) {
    context.strokeStyle = 'rgb(' + boxColour(index).join(',') + ')';
    context.strokeRect(left, top, right - left, bottom - top);
  }
}

/** An entry of the list: a picture and a line of text. */
function entry() {
  const canvas = document.createElement('canvas');
  canvas.style = 'display: block; width: 256px';
  const item = document.createElement('li');
  const text = document.createElement('span');
  item.append(canvas, text);
  return { item, text, context: canvas.getContext('2d') };
}

// == SHOW ==
const showBoxes = async (raw, place, size, draw, shown) => {
  const answers = await classify(raw);
  const found = detected(answers, place, size);
  Object.assign(shown.context.canvas, { width: size.width, height: size.height });
  draw(shown.context);
  drawBoxes(shown.context, found);
  shown.text.textContent = found.map(({ label, score }) => label + ' ' + (100 * score).toFixed(1) + ' %').join(', ') || 'nothing';
  list.append(shown.item);
  return { found, answers };
};
const show = (raw) => {
  const [, height, width] = input.shape;
  const size = { height, width };
  return showBoxes(raw, placeOf(size), size, (context) => drawValues(context, raw), entry());
};
const showPicture = (picture, shown = entry()) => {
  const place = placeOf(picture);
  const [, height, width, channels] = input.shape;
  const data = Uint8Array.from(rawOf(picture, [place.height, place.width]));
  const raw = Array.from(withPadding({ ...place, data, channels }, [height, width]).data);
  return showBoxes(raw, place, picture, (context) => context.drawImage(picture, 0, 0), shown);
};
