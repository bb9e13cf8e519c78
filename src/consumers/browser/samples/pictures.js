// == IMPORTS ==
import { openCamera } from './camera.js';
import { fittedPixels, opaque } from './fitted.js';
import { normalized } from './normalized.js';

// == SHOW ==
/** An entry of the list: a picture and a line of text. */
const entry = () => {
  const canvas = document.createElement('canvas');
  canvas.style = 'display: block; width: 256px';
  const item = document.createElement('li');
  const text = document.createElement('span');
  item.append(canvas, text);
  return { item, text, context: canvas.getContext('2d') };
};
/** Draws values of the model's input, from 0 to 255 or to 1. */
const drawValues = (context, raw) => {
  const [, height, width, channels] = input.shape;
  const times = raw.some((value) => value > 1) ? 1 : 255;
  const pixels = context.createImageData(width, height);
  pixels.data.set(
    opaque(
      raw.map((value) => value * times),
      channels,
    ),
  );
  context.putImageData(pixels, 0, 0);
};
/** Asks the model about values, and draws the answer over the picture of this size that they are of. */
const showOver = async (raw, { height, width }, drawPicture, { item, text, context } = entry()) => {
  const answers = Array.from(await classify(raw));
  const { said, draw, ...found } = answered(answers, { height, width });
  Object.assign(context.canvas, { height, width });
  drawPicture(context);
  draw(context);
  text.textContent = said;
  list.append(item);
  return { ...found, answers };
};
const show = (raw) => {
  const [, height, width] = input.shape;
  return showOver(raw, { height, width }, (context) => drawValues(context, raw));
};
const showPicture = (picture, shown) => showOver(rawOf(picture), picture, (context) => context.drawImage(picture, 0, 0), shown);

// == CHOOSE ==
const chooser = document.querySelector('input');
const told = document.querySelector('output');
chooser.onchange = async () => {
  try {
    await showPicture(await createImageBitmap(chooser.files[0]));
  } catch (error) {
    told.textContent = chooser.files[0].name + ': ' + error.message;
  }
};
const camera = document.querySelector('button');
let close;
/** Draws the answer over what the camera sees, picture after picture, until it is stopped. */
camera.onclick = async () => {
  const stop = () => {
    close?.();
    close = undefined;
    camera.textContent = 'Camera';
  };
  if (close !== undefined) return stop();
  try {
    const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });
    close = await openCamera(video, navigator.mediaDevices);
    camera.textContent = 'Stop';
    for (const live = entry(); close !== undefined;) {
      await showPicture(await createImageBitmap(video), live);
      await new Promise((resolve) => setTimeout(resolve));
    }
  } catch (error) {
    stop();
    told.textContent = 'camera: ' + error.message;
  }
};
