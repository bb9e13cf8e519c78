import { fakes } from '../../support/fake-page.ts';
import { shown } from '../../../src/answers/tags/shown.ts';

it('entities are marked among the words, and words without a tag are counted', () => {
  const words = [{ word: 'Ada', label: 'B-PER' }, { word: 'is', label: 'O' }, { word: 'here' }];
  const entities = [{ type: 'PER', from: 0, to: 0 }];
  const [line, note] = fakes(shown.shown({ words, unread: 1, entities }, undefined).elements(0));
  expect(line!.text.trim().split(/\s+/)).toEqual(['Ada', 'PER', 'is', 'here']);
  expect(note!.text).toMatch(/^1 word has no tag/);
});
