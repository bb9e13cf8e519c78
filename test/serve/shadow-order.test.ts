import { orderBetween } from '../../src/serve/shadow/shadow.ts';

const stating = (labels?: readonly string[]) => ({
  file: 'teacher.onnx',
  metadata: new Map(labels && [['labels', JSON.stringify(labels)]]),
});

it('a shadow answers by the names of the classes, where both files have them', () => {
  const model = stating(['cat', 'dog', 'hen']);
  expect(orderBetween(model, stating(['hen', 'cat', 'dog']), 3)).toEqual([1, 2, 0]);
  expect(orderBetween(model, stating(['cat', 'dog', 'hen']), 3)).toBeUndefined();
  expect(orderBetween(model, stating(), 3)).toBeUndefined();
  expect(orderBetween(stating(), stating(['hen', 'cat', 'dog']), 3)).toBeUndefined();
  expect(orderBetween(model, stating(['hen', 'cat', 'dog']), 4)).toBeUndefined();
  expect(() => orderBetween(model, stating(['dog', 'cat', 'fox']), 3)).toThrow(
    /^teacher\.onnx: answers for dog, cat, fox/,
  );
});
