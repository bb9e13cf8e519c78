import sharp from 'sharp';
import { detected } from '../../../src/answers/boxes/said.ts';
import { sentPicture } from '../../../src/serve/v1/placed-picture.ts';

const said = { names: ['cat', 'dog'], logits: true } as never;
/** Two points: a dog in the middle of the input, and nothing. */
const ROW = [0.25, 0.25, 0.75, 0.75, 0, 0, 0.1, 0.1, -9, 3, -9, -9];

async function sent(contentType: string, fit?: 'letterbox') {
  const body = await sharp({ create: { width: 640, height: 320, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  return sentPicture({ contentType, body, described: { shape: [64, 64, 3], ...(fit && { fit }) } } as never);
}

it('boxes are in pixels of the picture that was sent', async () => {
  const [box] = detected(ROW, said, await sent('image/png', 'letterbox')).boxes;
  // The picture fills the middle half of the input from top to bottom.
  expect(box).toMatchObject({ index: 1, label: 'dog', box: { xmin: 160, ymin: 0, xmax: 480, ymax: 320 } });
  const stretched = detected(ROW, said, await sent('image/png'));
  expect(stretched).toMatchObject({ height: 320, width: 640, boxes: [{ box: { xmin: 160, ymin: 80, xmax: 480, ymax: 240 } }] }); // prettier-ignore
  expect(stretched.boxes).toHaveLength(1);
});

it('boxes of raw values are in pixels of the input', async () => {
  const answer = detected(ROW, said, await sent('application/json', 'letterbox'));
  expect(answer).toMatchObject({ height: 64, width: 64, boxes: [{ box: { xmin: 16, ymin: 16, xmax: 48, ymax: 48 } }] }); // prettier-ignore
});

it('boxes have at least the score that is asked for, that of the file, or 0.3', async () => {
  const picture = await sent('application/json');
  // Scores of 88, 38 and 12 %.
  const row = [0, 0, 1, 1, 0, 0, 0.1, 0.1, -2, 2, -0.5, -9];
  const scores = (threshold?: number) => {
    const { threshold: least, boxes } = detected(row, said, picture, { threshold });
    return [least, ...boxes.map(({ score }) => score.toFixed(2))];
  };
  expect(scores()).toEqual([0.3, '0.88', '0.38']);
  expect(scores(0.5)).toEqual([0.5, '0.88']);
  expect(scores(0.1)).toEqual([0.1, '0.88', '0.38', '0.12']);
});
