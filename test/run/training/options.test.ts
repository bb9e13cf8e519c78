import '../../support/labels.ts';
import { batches, viewOf } from '../../../src/data/batches/batches.ts';
import { epochOptions } from '../../../src/run/training/options.ts';
import { completeRecipe } from '../../../src/recipe/load.ts';
import { pictures } from '../../support/dataset.ts';

const recipe = completeRecipe(
  {
    name: 'r',
    seed: 5,
    dataset: { type: 'cifar10', train: 'x', augment: [{ shift: 1 }, { flip: 'horizontal' }] },
    student: { model: 'mlp' },
  },
  '/',
).recipe;

it.each([5, 6])('trained with seed %i, the views are those that the teacher of the recipe has answered to', (seed) => {
  const data = pictures();
  const options = { settings: { ...recipe.distill, batchSize: 20 }, seed, views: 3 };
  const epoch = [...batches(data, epochOptions(recipe, options, 4))];
  expect(epoch).toHaveLength(3);
  for (const { ids, x, view } of epoch) {
    const { seed: answered } = recipe;
    const augment = epochOptions(recipe, options, 4).augment!;
    expect([...x]).toEqual([...viewOf(data, ids, { seed: answered, view: view!, augment })]);
  }
});

it('repeats see the samples in orders of their own', () => {
  const order = (seed: number) => {
    const options = { settings: recipe.distill, seed, views: undefined };
    return [...batches(pictures(), epochOptions(recipe, options, 0))].flatMap(({ ids }) => [...ids]).join();
  };
  expect(order(5)).not.toBe(order(6));
});
