import { parseRecipe } from '../../src/recipe/load.ts';

const SHORT = `dataset: {type: csv, train: data.csv}
student: {model: mlp}
teacher: {onnx: t.onnx, intermediate: [a]}
`;
const PAIRS = 'features: [{student: a, teacher: a}]';

function messageOf(text: string): string {
  try {
    parseRecipe(text, 'x.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the recipe was accepted');
}

it.each([
  [`{loss: reviewkd, ${PAIRS}, generations: 2}`, /distill\.generations: expected 1 beside reviewkd/],
  ['{teacherUntil: 10}', /distill\.teacherUntil: expected an epoch before the last, which is 10, received 10/],
  ['{schedules: {margin: {to: 2}}}', /schedules\.margin: expected a number of kd that can change: temperature, alpha/],
  ['{schedules: {alpha: {to: 2}}}', /schedules\.alpha\.to: expected a value that alpha may have, received 2/],
  ['{schedules: {temperature: {from: 0, to: 2}}}', /schedules\.temperature\.from: expected a value/],
  ['{schedules: {alpha: {to: 0, epochs: 11}}}', /schedules\.alpha\.epochs: expected at most the epochs, which are 10/],
  [`{loss: crd, ${PAIRS}, schedules: {negatives: {to: 2}}}`, /schedules\.negatives: expected a number of crd that can/],
  ['{loss: auto, schedules: {alpha: {to: 0}}}', /expected no schedule beside loss: auto/],
  ['{loss: auto, temperature: 2}', /distill\.temperature: not read beside loss: auto/],
  ['{loss: auto, race: {losses: [crld]}}', /distill\.race\.losses\[0\]: expected one of kd/],
  ['{loss: crld, strong: [{mixup: 1}]}', /distill\.strong: expected changes of single samples/],
  [`{loss: crd, ${PAIRS}, microBatch: 8}`, /distill\.microBatch: expected a loss that is a sum over samples/],
  [`{loss: reviewkd, ${PAIRS}, microBatch: 8}`, /distill\.microBatch: expected a loss that is a sum over samples/],
])('what would have no effect is refused: distill: %s', (distill, message) => {
  expect(messageOf(`${SHORT}distill: ${distill}\n`)).toMatch(message);
});

it('crd is refused in float16', () => {
  expect(messageOf(`${SHORT}distill: {loss: crd, ${PAIRS}}\nprecision: mixed\n`)).toMatch(
    /precision: expected full: crd/,
  );
});

it.each(['crd', 'crld', 'reviewkd'])('%s is refused for numbers', (loss) => {
  const features = loss === 'crld' ? '' : `, ${PAIRS}`;
  const text = SHORT.replace('type: csv,', 'type: csv, task: regression, label: y,');
  expect(messageOf(`${text}distill: {loss: ${loss}${features}}\n`)).toMatch(
    /distill\.loss: expected a loss for regression/,
  );
});

it('an assistant is a model of the registry, and needs a student behind it', () => {
  const chain = (model: string): string => `teacher: {onnx: t.onnx, chain: [{model: ${model}, depth: 8}]}\n`;
  const data = 'dataset: {type: csv, train: data.csv}\n';
  expect(messageOf(`${data}${chain('mlp')}`)).toMatch(/teacher\.chain: expected a student/);
  const { recipe } = parseRecipe(`${data}student: {model: mlp}\n${chain('resnet')}`, 'x.yaml');
  expect(recipe.teacher?.chain?.[0]).toMatchObject({ model: 'resnet', epochs: 10 });
});
