import { fakes } from '../../support/fake-page.ts';
import { shown } from '../../../src/answers/classes/shown.ts';

const chosen = { index: 1, probability: 0.75 };

it('a class without a name gets that of the model whose preparation was borrowed, and so do the next ones', () => {
  const predicted = { ...chosen, top: [chosen, { index: 0, probability: 0.25 }] };
  const borrowed = shown.shown(predicted, ['a', 'b']);
  expect(borrowed.says).toEqual({ what: 'b', sureness: ', 75.0 %' });
  expect(fakes(borrowed.elements(0))[0]!.text).toMatch(/^b 75\.0 % .*a 25\.0 %/);
  const own = shown.shown(predicted, undefined);
  expect(own.says).toEqual({ what: 'class 1', sureness: ', 75.0 %' });
});

it('a score that is no probability is a bar of the share of the largest', () => {
  const top = [
    { index: 0, label: 'a', score: 8 },
    { index: 1, label: 'b', score: 2 },
    { index: 2, label: 'c', score: -1 },
  ];
  const { elements, says } = shown.shown({ ...top[0]!, top }, undefined);
  expect(says).toEqual({ what: 'a', sureness: '' });
  const [list] = fakes(elements(0));
  const fills = list!.children.map((item) => fakes(fakes((item as never as typeof list)!.children as never)[2]!.children as never)[0]!); // prettier-ignore
  expect(fills.map((fill) => fill.attributes.get('style width'))).toEqual(['100.0%', '25.0%', '0.4%']);
});
