// == IMPORTS ==
import { fittedPixels } from './fitted.js';
import { normalized } from './normalized.js';

// == PREPARE ==
// __NORMALIZE__

// == REST ==
/** Values of a picture as the model takes it, from 0 to 255: scaled as the pictures that it learnt from. */
function rawOf(picture) {
  const share = Math.min(1, 4096 / Math.max(picture.width, picture.height));
  const [width, height] = [Math.max(1, Math.round(picture.width * share)), Math.max(1, Math.round(picture.height * share))];
  const canvas = new OffscreenCanvas(width, height).getContext('2d');
  canvas.imageSmoothingQuality = 'high';
  canvas.drawImage(picture, 0, 0, width, height);
  const data = new Uint8Array(canvas.getImageData(0, 0, width, height).data);
  // No browser says which colours lie under what is transparent, and those are what the model would have learnt from.
  if (data.some((value, i) => i % 4 === 3 && value < 255))
    throw new Error('expected a picture without transparent parts: save it on a background first');
  return Array.from(fittedPixels({ data, height, width, channels: 4 }, input.shape.slice(1), input.fit));
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
