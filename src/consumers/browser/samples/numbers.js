// == IMPORTS ==
import { normalized } from './normalized.js';
import { LANCZOS, resized } from './resize.js';

// == PREPARE ==
// __NORMALIZE__

// == REST ==
/**
 * A picture at the model's size, scaled as those that it learnt from: values from 0 to 255, grey as the mean of red, green and blue by their brightness.
 * What a browser draws smaller is made of few of its pixels.
 */
function rawOf(picture, [height, width] = input.shape.slice(1)) {
  const channels = input.shape[3];
  const share = Math.min(1, 4096 / Math.max(picture.width, picture.height));
  const [from, down] = [Math.max(1, Math.round(picture.width * share)), Math.max(1, Math.round(picture.height * share))];
  const canvas = new OffscreenCanvas(from, down).getContext('2d');
  canvas.imageSmoothingQuality = 'high';
  canvas.drawImage(picture, 0, 0, from, down);
  const drawn = canvas.getImageData(0, 0, from, down).data;
  // No browser says which colours lie under what is transparent, and those are what the model would have learnt from.
  if (drawn.some((value, i) => i % 4 === 3 && value < 255))
    throw new Error('expected a picture without transparent parts: save it on a background first');
  const data = resized(new Uint8Array(drawn.buffer), [down, from, 4], [height, width], LANCZOS);
  const raw = [];
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue] = [data[i], data[i + 1], data[i + 2]];
    if (channels === 1) raw.push(Math.round(0.299 * red + 0.587 * green + 0.114 * blue));
    else raw.push(red, green, blue);
  }
  return raw;
}

// == RAW ==
const { raw } = example;

// == CHOOSE ==
const chooser = document.querySelector('input');
if (input.shape.length === 4 && [1, 3].includes(input.shape[3])) {
  chooser.hidden = false;
  chooser.onchange = async () => {
    try {
      await show(rawOf(await createImageBitmap(chooser.files[0])));
    } catch (error) {
      list.append(Object.assign(document.createElement('li'), { textContent: chooser.files[0].name + ': ' + error.message }));
    }
  };
}

// == FOLDER ==
const folder = document.querySelector('input[webkitdirectory]');
folder.parentElement.hidden = chooser.hidden;
adds(folder, async (file) => {
  const vector = Array.from(await classify(rawOf(await createImageBitmap(file))));
  return [{ name: file.webkitRelativePath || file.name, vector, address: URL.createObjectURL(file) }];
});
