import { nearest, shown, UserError } from '../../src/base/errors.ts';

it('nearest finds what was probably meant', () => {
  expect(nearest('temprature', ['alpha', 'temperature', 'epochs'])).toBe('temperature');
  expect(nearest('LearningRate', ['learningRate'])).toBe('learningRate');
});

it('nearest stays silent when nothing is near', () => {
  expect(nearest('xyz', ['alpha', 'temperature'])).toBeUndefined();
});

it('shown is short and on one line', () => {
  expect(shown('a\nb')).toBe('"a\\nb"');
  expect(shown(undefined)).toBe('nothing');
  expect(shown(-1)).toBe('-1');
  expect(shown('x'.repeat(500))).toHaveLength(80);
});

it('a UserError carries its remedy', () => {
  const error = new UserError('fact', 'remedy');
  expect([error.message, error.hint, error.name]).toEqual(['fact', 'remedy', 'UserError']);
});
