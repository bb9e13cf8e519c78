import { parseRecipe } from '../../../src/recipe/load.ts';
import { MIXES, TASKS, taskRow } from '../../../src/recipe/task.ts';
import { userError } from '../../data/support.ts';

const WORDS = `dataset: { type: jsonl, task: tagging, train: w.jsonl, label: tags, text: { column: tokens } }
teacher: { train: { model: text-transformer, augment: [{ flip: horizontal }, { mixup: 0.2 }] } }
student: { model: text-cnn }
`;

it('samples are not mixed for a task whose targets are not: the recipe is refused, by its line', async () => {
  const { message, hint } = await userError(() => parseRecipe(WORDS, 'x.yaml'));
  expect(message).toContain(
    'x.yaml:2:78 teacher.train.augment[1]: expected another change for tagging, whose targets are not mixed, received mixup',
  );
  expect(hint).toMatch(/^Change teacher\.train\.augment\[1\]/);
  const other = WORDS.replace('mixup', 'cutmix').replace(/text: \{.*\}/, 'augment: [{ mixup: 1 }] }');
  const { message: both } = await userError(() => parseRecipe(other, 'x.yaml'));
  expect(both).toMatch(/:1:\d+ dataset\.augment\[0\]: expected another change for tagging.*received mixup/);
  expect(both).toMatch(/:2:78 teacher\.train\.augment\[1\]: expected another change for tagging.*received cutmix/);
});

it.each(TASKS.filter((task) => taskRow(task).mixes.length === MIXES.length))('%s takes both ways to mix', (task) => {
  const text = `dataset: { type: csv, task: ${task}, train: x.csv, label: y, augment: [{ mixup: 1 }, { cutmix: 1 }] }
student: { model: mlp }
`;
  expect(parseRecipe(text, 'x.yaml').recipe.dataset.augment).toHaveLength(2);
});
