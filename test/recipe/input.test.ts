import { makeRecipe, UserError } from '../../src/index.ts';
import type { RecipeInput } from '../../src/index.ts';

const dataset = { type: 'csv', train: 'rows.csv', label: 'y' } as const;
const student = { model: 'mlp', hidden: [8] };

const WHOLE: RecipeInput = {
  name: 'whole',
  dataset: { ...dataset, augment: [{ shift: 2 }], normalize: { mean: 0, std: 16 } },
  teacher: { train: { model: 'mlp', hidden: [64], epochs: 5, optimizer: { type: 'sgd', learningRate: 0.1 } } },
  student,
  distill: { loss: 'kd', temperature: 4, optimizer: { warmup: 1 }, softTargets: { store: 'live' } },
  prune: [{ type: 'magnitude', amount: 0.5, finetune: { epochs: 1 } }],
  quantize: { scheme: 'int8', method: 'qat', qat: { epochs: 1 } },
  export: ['onnx'],
  report: { latency: { seconds: 0 } },
};

/** The types are checked by `npm run typecheck`, where an error that is expected and does not come is one. */
describe('makeRecipe in TypeScript', () => {
  it('takes what a recipe file holds, defaults left out', () => {
    const { recipe } = makeRecipe(WHOLE);
    expect(recipe.quantize).toHaveLength(1);
    expect(recipe.student).toEqual(student);
    expect(makeRecipe({ name: 'a', dataset, student: { module: 'my-model.js' } }).recipe.repeats).toBe(1);
  });

  it('does not compile with a wrong key or value, and refuses it where types are passed over', () => {
    const wrong = (make: () => unknown): unknown => expect(make).toThrow(UserError);
    // @ts-expect-error -- no such key
    wrong(() => makeRecipe({ name: 'a', dataset, student, distil: { epochs: 1 } }));
    // @ts-expect-error -- no such key
    wrong(() => makeRecipe({ name: 'a', dataset, student, distill: { epoch: 1 } }));
    // @ts-expect-error -- no such key of this type of data
    wrong(() => makeRecipe({ name: 'a', dataset: { ...dataset, resize: [8, 8] }, student }));
    // @ts-expect-error -- no such loss
    wrong(() => makeRecipe({ name: 'a', dataset, student, distill: { loss: 'kdd' } }));
    // @ts-expect-error -- a number
    wrong(() => makeRecipe({ name: 'a', dataset, student, distill: { epochs: '1' } }));
    // @ts-expect-error -- no such rule
    wrong(() => makeRecipe({ name: 'a', dataset, teacher: { train: { model: 'mlp', optimizer: { type: 'sdg' } } } }));
    // @ts-expect-error -- a name is needed: there is no file that it could be taken from
    wrong(() => makeRecipe({ dataset, student }));
  });
});
