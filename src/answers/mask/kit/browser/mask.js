// == IMPORTS ==
import { colouredMask } from './mask-colours.js';
import { masksOf } from './masks.js';
import { normalized } from './normalized.js';
import { LANCZOS, resized } from './resize.js';

// == SHARES ==
const [, height, width, channels] = input.shape;
const [, rows, columns, classes] = output.shape;

/** Draws values of a picture, from 0 to 255 or to 1, half under the colours of its mask. */
function draw(context, raw, mask) {
  const white = raw.some((value) => value > 1) ? 255 : 1;
  const colours = colouredMask(mask, classes);
  const pixels = context.createImageData(width, height);
  for (let at = 0; at < mask.length; at++) {
    for (let c = 0; c < 3; c++) {
      const value = (255 * raw[at * channels + (channels < 3 ? 0 : c)]) / white;
      pixels.data[4 * at + c] = (value + colours[3 * at + c]) / 2;
    }
    pixels.data[4 * at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

/** An entry of the list: a picture and a line of text. */
function entry() {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.style = 'display: block; width: 256px';
  const item = document.createElement('li');
  const text = document.createElement('span');
  item.append(canvas, text);
  return { item, text, context: canvas.getContext('2d') };
}

// == SHOW ==
const show = async (raw, expected, place = entry()) => {
  const logits = await classify(raw);
  const mask = masksOf(Float32Array.from(logits), { rows, columns, classes, stride: height / rows });
  const shares = labels.map((label, c) => ({ label, area: mask.filter((index) => index === c).length / mask.length }));
  const segments = shares.filter(({ area }) => area > 0).sort((a, b) => b.area - a.area);
  draw(place.context, raw, mask);
  place.text.textContent = segments.map(({ label, area }) => label + ' ' + (100 * area).toFixed(1) + ' %').join(', ');
  list.append(place.item);
  return { segments, logits: Array.from(logits) };
};

const showPicture = (picture, place) => show(rawOf(picture), undefined, place);
