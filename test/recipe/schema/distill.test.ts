import { models } from '../../../src/networks/models/registry.ts';
import { parseRecipe } from '../../../src/recipe/load.ts';

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
  ['{schedules: {margin: {to: 2}}}', /schedules\.margin: expected a number of kd that can change: temperature, alpha/],
  ['{schedules: {alpha: {to: 2}}}', /schedules\.alpha\.to: expected a value that alpha may have, received 2/],
  ['{schedules: {temperature: {to: 0}}}', /schedules\.temperature\.to: expected a value/],
  ['{schedules: {alpha: {to: 0, epochs: 11}}}', /schedules\.alpha\.epochs: expected at most the epochs, which are 10/],
  [`{loss: crd, ${PAIRS}, schedules: {negatives: {to: 2}}}`, /schedules\.negatives: expected a number of crd that can/],
  ['{loss: auto, schedules: {alpha: {to: 0}}}', /expected no schedule beside loss: auto/],
  ['{loss: auto, temperature: 2}', /distill\.temperature: not read beside loss: auto/],
  ['{loss: auto, race: {losses: [crld]}}', /distill\.race\.losses\[0\]: expected one of kd/],
  ['{softTargets: {store: live, views: 2}}', /distill\.softTargets\.views: expected no such key beside store: live/],
  ['{softTargets: {store: live, top: 2}}', /softTargets\.top: expected no such key beside store: live/],
  ['{softTargets: {store: live, batchSize: 2}}', /softTargets\.batchSize: expected no such key beside store: live/],
  ['{optimizer: {schedule: step}}', /optimizer\.milestones: expected the epochs after which schedule: step lowers/],
  ['{optimizer: {cycleFactor: 0.5}}', /optimizer\.cycleFactor: expected several cycles beside it/],
  ['{optimizer: {decay: all}}', /optimizer\.decay: expected a weightDecay above 0 beside it, received all/],
  [`{loss: crd, ${PAIRS}, microBatch: 8}`, /distill\.microBatch: expected a loss that is a sum over samples/],
  [`{loss: reviewkd, ${PAIRS}, microBatch: 8}`, /distill\.microBatch: expected a loss that is a sum over samples/],
])('what would have no effect is refused: distill: %s', (distill, message) => {
  expect(messageOf(`${SHORT}distill: ${distill}\n`)).toMatch(message);
});

it.each([
  ['{logits: t.npy}', 'type: csv', '{softTargets: {views: 2}}', /softTargets\.views: expected no such key beside teacher\.logits/],
  ['{logits: t.npy}', 'type: csv', '{softTargets: {top: 2}}', /softTargets\.top: expected no such key beside teacher\.logits/],
  ['{onnx: t.onnx}', 'type: csv, task: regression', '{softTargets: {top: 2}}', /softTargets\.top: expected no such key for regression/],
])('what a teacher leaves without effect is refused: %s of %s, distill: %s', (teacher, data, distill, message) => {
  const text = SHORT.replace(/teacher:.*\n/, `teacher: ${teacher}\n`).replace('type: csv', data);
  expect(messageOf(`${text}distill: ${distill}\n`)).toMatch(message);
}); // prettier-ignore

it.each([
  ['prune: [{type: magnitude, amount: 0.5}]', /prune: expected a student that is pruned, received no student/],
  ['quantize: {scheme: int8}', /quantize: expected a student that is quantized; .*received no student/],
  [
    'export: [onnx, tflite]',
    /export: expected a student, of which TFLite files and streams are made, received no student/,
  ],
  ['repeats: 3', /repeats: expected a student that is trained so often, received no student/],
  ['report: {pruningSensitivity: true}', /pruningSensitivity: expected a student whose layers are pruned/],
])('what is about a student is refused where there is none: %s', (text, message) => {
  expect(messageOf(`dataset: {type: csv, train: data.csv}\nteacher: {onnx: t.onnx}\n${text}\n`)).toMatch(message);
});

const INT8_ENDS = 'quantize: {scheme: int8}\ntflite: {ends: int8}';

it.each([
  ['export: [tflite]\ntflite: {ends: int8}', /tflite\.ends: expected float32 where no int8 TFLite file is written/],
  [INT8_ENDS, /tflite\.ends: expected float32 where no int8 TFLite file/],
  ['tflite: {batch: dynamic}', /tflite\.batch: expected 1 where no TFLite file is written/],
  ['quantize: {scheme: int16x8}', /scheme: expected another scheme without TFLite files.*received int16x8/],
  ['quantize: [{scheme: int16x8}]\nexport: [tflite]\ntarget: {sizeKb: 9}', /expected another scheme without TFLite/],
  ['quantize: [{}, {scheme: int4}]\nexport: [tflite]', /quantize\[1\]\.scheme: expected another scheme without onnx/],
  [`${INT8_ENDS}\nexport: [tflite]\ntarget: {sizeKb: 9}`, /tflite\.ends: expected float32 where/],
])('options of files that are not written are refused: %s', (text, message) => {
  expect(messageOf(`${SHORT}${text}\n`)).toMatch(message);
});

it.each([`${INT8_ENDS}\nexport: [tflite]`, 'tflite: {ends: int8}\ntarget: {sizeKb: 9, runtime: litert-wasm}'])(
  'options of files that are written are taken: %s',
  (text) => {
    expect(parseRecipe(`${SHORT}${text}\n`, 'x.yaml').recipe.tflite.ends).toBe('int8');
  },
);

const MUTUAL = SHORT.replace(/teacher:.*\n/, '');

it.each([
  [
    `${SHORT}distill: {loss: mutual}`,
    /x\.yaml:4:17 distill\.loss: expected a loss of student and teacher, received mutual, of two/,
  ],
  [
    'dataset: {type: csv, train: data.csv}\ndistill: {loss: mutual}',
    /distill\.loss: expected a student, which learns with a peer/,
  ],
  [`${MUTUAL}distill: {loss: mutual}\ntarget: {sizeKb: 10}`, /distill\.loss: expected another loss beside target/],
  [`${MUTUAL}distill: {loss: mutual, epochs: 0}`, /distill\.epochs: expected more than 0/],
  [
    `${MUTUAL}distill: {loss: mutual, generations: 2}`,
    /distill\.generations: expected a teacher, without which it has no/,
  ],
  [
    `${MUTUAL}distill: {loss: mutual, leaveOut: {classes: [a]}}`,
    /distill\.leaveOut: expected a teacher, without which/,
  ],
  [`${MUTUAL}distill: {loss: mutual, minConfidence: 0.5}`, /distill\.minConfidence: expected a teacher, without which/],
  [
    `${MUTUAL}distill: {loss: mutual}\nstepsPerCall: 4`,
    /stepsPerCall: expected 1 beside mutual, whose steps go in turn, received 4/,
  ],
  [
    `${MUTUAL}distill: {loss: mutual, softTargets: {store: live}}`,
    /distill\.softTargets: expected no such key beside mutual/,
  ],
  [
    `${MUTUAL}distill: {loss: mutual, softTargets: {views: 2}}`,
    /distill\.softTargets: expected no such key beside mutual/,
  ],
  [`${MUTUAL}distill: {loss: mutual, alpha: 0.5}`, /distill\.alpha: not read beside loss: mutual/],
  [`${MUTUAL}distill: {loss: kd, peer: {model: mlp}}`, /distill\.peer: not read beside loss: kd/],
  [`${MUTUAL}distill: {loss: auto, race: {losses: [mutual]}}`, /distill\.race\.losses\[0\]: expected one of kd/],
  [`${MUTUAL.replace('type: csv,', 'type: csv, task: regression, label: y,')}distill: {loss: mutual}`, /distill\.loss: expected a loss for regression/], // prettier-ignore
  [`${MUTUAL.replace('type: csv,', 'type: csv, task: multi-label,')}distill: {loss: mutual}`, /distill\.loss: expected a loss for multi-label/], // prettier-ignore
])('two students that teach each other: what does not go with them is refused: %s', (text, message) => {
  expect(messageOf(`${text}\n`)).toMatch(message);
});

it.each([
  '{loss: mutual}',
  '{loss: mutual, peer: {model: mlp, hidden: [8]}, schedules: {temperature: {to: 2, epochs: 3}}}',
])('two students that teach each other need no teacher: distill: %s', (distill) => {
  expect(parseRecipe(`${MUTUAL}distill: ${distill}\n`, 'x.yaml', { models }).recipe.distill).toMatchObject({
    ...{ loss: 'mutual', temperature: 1 },
  });
});

it('an option that the model of the peer does not have is refused', () => {
  const parse = (): unknown =>
    parseRecipe(`${MUTUAL}distill: {loss: mutual, peer: {model: mlp, depth: 3}}\n`, 'x.yaml', { models });
  expect(parse).toThrow(/x\.yaml:3:\d+ distill\.peer\.depth: unknown key/);
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
