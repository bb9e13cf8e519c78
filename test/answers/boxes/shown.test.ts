import { FakeElement, fakes } from '../../support/fake-page.ts';
import { shown } from '../../../src/answers/boxes/shown.ts';

const box = { xmin: 1, ymin: 0, xmax: 2, ymax: 1 };

it('boxes are drawn over the picture that was asked about, with their labels and scores', () => {
  const picture = new FakeElement('canvas');
  picture.setAttribute('width', '4');
  picture.setAttribute('height', '6');
  const boxed = { height: 3, width: 2, threshold: 0.3, boxes: [{ index: 0, label: 'cat', score: 0.875, box }] };
  const [canvas, list] = fakes(shown.shown(boxed, undefined, picture as never).elements(0));
  expect(canvas!.drawn).toEqual([
    ['drawImage', picture, 0, 0],
    ['strokeRect', 2, 0, 2, 2],
  ]);
  expect(list!.text).toMatch(/cat 87\.5 %/);
});

it('no box at all is said with the lowest score', () => {
  const [, note] = fakes(shown.shown({ height: 2, width: 2, threshold: 0.3, boxes: [] }, undefined).elements(0));
  expect(note!.text).toBe('No box has a score of 30 % or more.');
});
