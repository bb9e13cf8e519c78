import { FakeElement, fakes } from '../../support/fake-page.ts';
import { shown } from '../../../src/answers/mask/shown.ts';

it('a mask is drawn over the picture that was asked about, with the classes and their areas', () => {
  const segments = [
    { index: 0, label: 'sky', area: 0.75 },
    { index: 1, label: 'road', area: 0.25 },
  ];
  const picture = new FakeElement('canvas');
  picture.setAttribute('width', '4');
  picture.setAttribute('height', '4');
  const masked = { height: 2, width: 2, runs: [0, 3, 1, 1], segments };
  const [canvas, list] = fakes(shown.shown(masked, undefined, picture as never).elements(0));
  expect(canvas!.drawn.map(([method, from, ...place]) => [method, from === picture, ...place])).toEqual([
    ['drawImage', true, 0, 0],
    ['drawImage', false, 0, 0, 4, 4],
  ]);
  expect(list!.text).toMatch(/sky 75\.0 % .*road 25\.0 %/);
});
