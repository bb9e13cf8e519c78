import { BodyBudget } from '../../../src/serve/http/body.ts';

it('lets an address have two thirds of the memory for bodies, and all together no more than it', () => {
  const budget = new BodyBudget(300);
  budget.take(120, 'a');
  budget.take(80, 'a');
  expect(() => budget.take(1, 'a')).toThrow('too many large requests from this address at a time');
  budget.take(90, 'b');
  expect(() => budget.take(11, 'c')).toThrow('too many large requests at a time');
  budget.take(10, 'c');
  budget.give(200, 'a');
  budget.take(110, 'b');
  expect(() => budget.take(1, 'b')).toThrow('from this address');
  budget.give(200, 'b');
  budget.give(10, 'c');
  budget.take(200, 'a');
  budget.take(100, 'd');
});
