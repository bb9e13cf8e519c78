import { namesByForm, statedForm } from '../../src/recipe/stated-names.ts';

it.each([
  [{ logits: true }, 'classes', undefined],
  [{ labels: ['a', 'b'], logits: false }, 'classes', ['a', 'b']],
  [{ targets: ['a'], logits: false }, 'numbers', ['a']],
  [{ targets: ['a'], logits: true }, 'labels', ['a']],
  // A file may name classes too, for readers that know no other form.
  [{ labels: ['b'], targets: ['a'], logits: true }, 'labels', ['a']],
  [{ tags: ['O', 'B-X'], logits: true }, 'tags', ['O', 'B-X']],
  [{ mask: ['sky', 'road'], logits: true }, 'mask', ['sky', 'road']],
  [{ boxes: ['cat', 'dog'], logits: true }, 'boxes', ['cat', 'dog']],
  [{ vector: true, logits: false }, 'vector', undefined],
])('what a server states of answers, %j, tells their form', (stated, kind, names) => {
  expect(statedForm(stated)).toEqual({ kind, names });
});

it.each([
  ['tagging', ['O'], { tags: ['O'] }],
  ['segmentation', undefined, { mask: [] }],
  ['detection', ['cat'], { boxes: ['cat'] }],
  ['embedding', undefined, { vector: true }],
  ['regression', ['age'], { targets: ['age'] }],
  ['classification', undefined, {}],
  // A task of another program.
  ['detect', ['cat'], { targets: ['cat'] }],
])('names of a file of the task %s stand under the key of its form', (task, names, stated) => {
  expect(namesByForm(new Map([['task', task]]), names)).toEqual(stated);
});
