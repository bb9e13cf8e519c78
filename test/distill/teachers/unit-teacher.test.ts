import { cosinesOf } from '../../../src/base/math/vectors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import { joinedTeacher, unitTeacher } from '../../../src/distill/teachers/unit-teacher.ts';
import { likenessOf } from '../../../src/answers/vector/retrieval.ts';

const [COUNT, FEATURES] = [200, 6];
const random = new RandomStream('unit teacher');
const SAMPLES = Float32Array.from({ length: COUNT * FEATURES }, () => random.normal());

function data(size: number, prefixes: readonly number[] = [], centred?: true): Dataset {
  return {
    ...{ name: 'validation', task: 'embedding', classNames: ['a', 'b'], sampleShape: [FEATURES] },
    ...{ count: COUNT, ids: Int32Array.from({ length: COUNT }, (_, i) => i), samples: SAMPLES },
    ...{ targets: new Float32Array(COUNT), vector: { size, prefixes, centred } },
    normalization: { scale: 1, mean: new Array<number>(FEATURES).fill(0), std: new Array<number>(FEATURES).fill(1) },
  } as unknown as Dataset;
}

/** Answers with the features of a sample, `width` of them turned into all numbers of a vector, times 5. */
function teacher(width: number, rank = FEATURES): Teacher {
  const turn = Float32Array.from({ length: rank * width }, (_, i) => Math.sin(3 * i + width));
  return {
    ...{ name: 't', key: `t${width}`, classes: width, featureShapes: {}, params: 1, sizeBytes: 4, device: 'cpu' },
    answer: (x, n) => {
      const logits = new Float32Array(n * width);
      for (let i = 0; i < n; i++)
        for (let k = 0; k < width; k++)
          for (let f = 0; f < rank; f++) logits[i * width + k]! += 5 * x[i * FEATURES + f]! * turn[f * width + k]!;
      return Promise.resolve({ logits, features: {} });
    },
    dispose: () => Promise.resolve(),
  };
}

const vectorsOf = async (of: Teacher) => ({ values: (await of.answer(SAMPLES, COUNT)).logits, width: of.classes });

it('gives vectors of length 1', async () => {
  const { values, width } = await vectorsOf(await unitTeacher(teacher(8), data(8)));
  for (let row = 0; row < COUNT; row++)
    expect(Math.hypot(...values.subarray(row * width, (row + 1) * width))).toBeCloseTo(1, 5);
});

it('keeps the likenesses of samples in fewer numbers', async () => {
  const whole = await vectorsOf(teacher(32));
  const exact = await unitTeacher(teacher(32), data(6));
  expect(exact.classes).toBe(6);
  // The vectors lie in a space of six dimensions.
  expect(likenessOf(await vectorsOf(exact), whole, [0, 9, 50]).overlap).toBe(1);
  const less = await vectorsOf(await unitTeacher(teacher(32), data(4)));
  expect(likenessOf(less, whole).overlap).toBeGreaterThan(0.4);
});

it('turns vectors with prefixes so that their first numbers say most', async () => {
  const own = await vectorsOf(await unitTeacher(teacher(8), data(8)));
  const turned = await vectorsOf(await unitTeacher(teacher(8), data(8, [3])));
  expect(likenessOf(turned, own).overlap).toBe(1);
  const share = ({ values, width }: typeof own): number =>
    values.reduce((sum, value, i) => sum + (i % width < 3 ? value ** 2 : 0), 0) / COUNT;
  expect(share(turned)).toBeGreaterThan(share(own) + 0.1);
});

it.each([8, 4])('subtracts the mean from unit vectors before it reduces them to %i numbers', async (size) => {
  const common = (of: Teacher): Teacher => ({
    ...of,
    answer: async (x, n) => {
      const { logits } = await of.answer(x, n);
      return { logits: logits.map((value, i) => value + (i % 8 === 2 ? 30 : 0)), features: {} };
    },
  });
  const { values: all, width } = await vectorsOf(await unitTeacher(common(teacher(8)), data(8)));
  const { values } = await vectorsOf(await unitTeacher(common(teacher(8)), data(size, [], true)));
  const mean = Array.from({ length: width }, (_, k) => {
    let sum = 0;
    for (let row = 0; row < COUNT; row++) sum += all[row * width + k]!;
    return sum / COUNT;
  });
  const rest = all.map((value, i) => value - mean[i % width]!);
  const [by, own] = [
    { values: rest, width },
    { values, width: size },
  ];
  if (size === width) expect(Math.min(...cosinesOf(own, by))).toBeCloseTo(1, 5);
  expect(likenessOf(own, by).overlap).toBeGreaterThan(size === width ? 0.999 : 0.4);
  for (let row = 0; row < COUNT; row++)
    expect(Math.hypot(...values.subarray(row * size, (row + 1) * size))).toBeCloseTo(1, 5);
});

it('joins the vectors of several teachers by their weights', async () => {
  const members = await Promise.all(
    [teacher(5, 3), teacher(9, 6)].map(async (of, i) => ({
      teacher: await unitTeacher(of, data(8), true),
      weight: i === 0 ? 1 : 3,
    })),
  );
  expect(members.map(({ teacher: { classes } }) => classes)).toEqual([8, 8]);
  const joined = joinedTeacher(members);
  const [first, second, both] = await Promise.all([...members.map(({ teacher: of }) => of), joined].map(vectorsOf));
  const between = ({ values, width }: NonNullable<typeof first>): number =>
    cosinesOf(
      { values: values.subarray(0, width), width: width },
      { values: values.subarray(width, 2 * width), width: width },
    )[0]!;
  expect(between(both!)).toBeCloseTo((between(first!) + 3 * between(second!)) / 4, 5);
});

it('has another key for other axes', async () => {
  const keys = [data(6), data(5), data(6, [2]), data(6, [], true)].map(
    async (of) => (await unitTeacher(teacher(32), of)).key,
  );
  expect(new Set(await Promise.all(keys)).size).toBe(3);
});

it.each([
  [teacher(4), data(8), 'dataset.dimensions: expected at most 4, the numbers of a vector of t, received 8', 4],
  [
    teacher(999),
    data(300),
    'dataset.dimensions: expected at most 200, the validation samples from which the 999 numbers of t are reduced, received 300',
    128,
  ],
])('refuses more numbers than there are, with the number to set', async (of, dataset, message, value) => {
  const changes = [{ path: ['dataset', 'dimensions'], value }];
  await expect(unitTeacher(of, dataset)).rejects.toMatchObject({ message, changes });
});
